from __future__ import annotations

import io
import json
import logging
import logging.handlers
from pathlib import Path

import structlog

from scheduler import logs
from scheduler.logs import Mask, configure


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_event_is_one_json_object_with_its_context(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "warta.jsonl"
    configure(path=path, console=None)

    with structlog.contextvars.bound_contextvars(run="R1", outlet="kontan"):
        structlog.get_logger("crawlers.run").info("run finished", outcome="ok", stored=3, reason=None)

    (record,) = lines(path)
    assert record["event"] == "run finished"
    assert (record["run"], record["outlet"], record["stored"], record["level"]) == ("R1", "kontan", 3, "info")
    assert "reason" not in record
    assert str(record["time"]).endswith("Z")


def test_libraries_speak_in_the_context_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "warta.jsonl"
    configure(path=path, console=None)

    with structlog.contextvars.bound_contextvars(run="R1"):
        logging.getLogger("scrapy.core.engine").warning("a %s of Scrapy", "word")

    (record,) = lines(path)
    assert (record["event"], record["run"], record["logger"]) == ("a word of Scrapy", "R1", "scrapy.core.engine")


def test_talkative_libraries_are_heard_only_when_it_matters(tmp_path: Path) -> None:
    path = tmp_path / "warta.jsonl"
    configure(path=path, console=None)

    logging.getLogger("apscheduler.executors.default").info("Running job")
    logging.getLogger("apscheduler.executors.default").error("Job failed")

    assert [r["event"] for r in lines(path)] == ["Job failed"]


def test_secrets_and_credentials_are_masked_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "warta.jsonl"
    mask = configure(path=path, console=None, mask=Mask(["s3cr3t-token"]))
    mask.learn(["later-secret"])

    structlog.get_logger().info(
        "fetch",
        url="https://user:hunter22@koran.test/rss?api_key=abcdef",
        headers={"X-Key": "s3cr3t-token"},
        n=["later-secret"],
    )
    try:
        raise ValueError("redis://:pa55word@localhost/0 says s3cr3t-token")
    except ValueError:
        structlog.get_logger().exception("failed")

    text = path.read_text(encoding="utf-8")
    assert not any(word in text for word in ("hunter22", "abcdef", "s3cr3t-token", "later-secret", "pa55word"))
    assert "https://***@koran.test/rss?api_key=***" in text


def test_what_would_steer_a_terminal_is_shown_as_text(tmp_path: Path) -> None:
    path, console = tmp_path / "warta.jsonl", io.StringIO()
    configure(path=path, console=console)

    structlog.get_logger().info("item settled", title="\x1b]0;owned\x07 \x9b31m \u202e evil\r\nforged line")

    assert not any(ord(c) < 32 and c != "\n" for c in console.getvalue())
    assert "\\x1b" in console.getvalue()
    assert len(lines(path)) == 1
    assert "\x1b" not in str(lines(path)[0]["title"])


def test_a_full_disk_drops_lines_and_the_daemon_goes_on(tmp_path: Path) -> None:
    configure(path=Path("/dev/full"), console=None)
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, logs.RotatingFile))

    for n in range(3):
        structlog.get_logger().info("tick", n=n)

    assert handler.dropped == 3

    handler.baseFilename = str(tmp_path / "warta.jsonl")
    structlog.get_logger().info("tick", n=3)

    assert [(r["event"], r.get("n", r.get("count"))) for r in lines(tmp_path / "warta.jsonl")] == [
        ("tick", 3),
        ("log lines dropped", 3),
    ]
