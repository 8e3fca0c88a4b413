"""`warta migrate` and `audit`: the database in shape, and the proof that its ledger adds up."""

from __future__ import annotations

import typer

from scheduler.cli.context import (
    ConfigOption,
    DataOption,
    Exit,
    JsonOption,
    finish,
    query,
    settings_from,
    utc_now,
)
from scheduler.cli.output import Output
from scheduler.places import database_url
from storage.redis import masked
from storage.storage import Storage


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Keep")(migrate)
    app.command(rich_help_panel="Keep")(audit)


def migrate(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Bring the database's tables to this version; `warta run` does it by itself."""
    settings = settings_from(config, data)

    async def work() -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        storage = await Storage.open(database_url(settings), now=utc_now)
        version = await storage.database.version()
        await storage.close()
        out = Output(json=json)
        if json:
            out.record({"ok": True, "version": version})
        else:
            out.line(f"{masked(database_url(settings))} is at version {version}")

    finish(work())


def audit(config: ConfigOption = None, data: DataOption = None, json: JsonOption = False) -> None:
    """Check that every discovered item is accounted for; exit code 1 and the findings when one is not."""
    settings = settings_from(config, data, lenient=True)

    async def work(storage: Storage, out: Output) -> bool:
        report = await storage.audit.run()
        if json:
            out.record({"ok": not report.findings, "findings": report.findings})
        else:
            for finding in report.findings:
                out.line(str(finding), style="red")
            out.line("the ledger adds up" if not report.findings else f"{len(report.findings)} findings")
        return not report.findings

    raise typer.Exit(Exit.OK if query(settings, work, json=json) else Exit.FOUND)
