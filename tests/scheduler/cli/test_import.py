"""`warta import`: from a feed reader to a configuration that is polled."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.load import load
from scheduler.cli.main import build

CLI = build(["imports", "checks"])
LIST = """<opml version="2.0"><body>
<outline text="Bisnis">
  <outline type="rss" text="Nasional" xmlUrl="https://nasional.kabar.co.id/rss"/>
  <outline type="rss" text="Pasar: #1 &amp; &quot;naik&quot;" xmlUrl="https://pasar.kabar.co.id/rss"/>
</outline>
<outline type="rss" text="Old" xmlUrl="https://lama.example/rss"/>
<outline type="rss" text="Bad" xmlUrl="gopher://lama.example/"/>
</body></opml>"""
OLD = "name: Lama\nhomepage: https://lama.example\nsources:\n  - {name: a, kind: feed, url: https://lama.example/rss}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "outlets").mkdir()
    (tmp_path / "warta.yaml").write_text("")
    (tmp_path / "outlets" / "lama.yaml").write_text(OLD)
    (tmp_path / "feeds.opml").write_text(LIST)
    return tmp_path


def warta(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(CLI, list(words))
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_an_imported_list_is_a_configuration_without_problems(home: Path) -> None:
    said = warta("import", str(home / "feeds.opml"), "--config", str(home))
    assert "2 feeds of 1 outlet written" in said
    assert "https://lama.example/rss: already configured" in said
    assert "gopher://lama.example/" in said
    warta("check", "--config", str(home))
    outlet = load(home / "warta.yaml", {}).outlet("kabar")
    assert outlet is not None
    assert [(s.name, s.url) for s in outlet.sources] == [
        ("nasional", "https://nasional.kabar.co.id/rss"), ("pasar-1-naik", "https://pasar.kabar.co.id/rss")
    ]  # fmt: skip
    assert outlet.notes == "In Bisnis"


def test_a_second_import_changes_nothing(home: Path) -> None:
    warta("import", str(home / "feeds.opml"), "--config", str(home))
    before = {path: path.read_bytes() for path in home.rglob("*.yaml")}
    assert "0 feeds of 0 outlets written" in warta("import", str(home / "feeds.opml"), "--config", str(home))
    assert {path: path.read_bytes() for path in home.rglob("*.yaml")} == before


def test_a_dry_run_shows_the_files_and_writes_none(home: Path) -> None:
    said = warta("import", str(home / "feeds.opml"), "--config", str(home), "--dry-run")
    assert "url: https://nasional.kabar.co.id/rss" in said
    assert "2 feeds of 1 outlet would be written" in said
    assert [path.name for path in (home / "outlets").iterdir()] == ["lama.yaml"]


def test_what_is_no_list_says_so(home: Path) -> None:
    (home / "feeds.opml").write_text("<html></html>")
    assert "no subscription list (OPML)" in warta("import", str(home / "feeds.opml"), "--config", str(home), code=2)
    assert "cannot be read" in warta("import", str(home / "nowhere"), "--config", str(home), code=5)


def test_without_a_configuration_of_ones_own_it_asks_where_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "outlets")
    assert "--into" in warta("import", str(home / "feeds.opml"), code=2)
    warta("import", str(home / "feeds.opml"), "--into", str(home / "new"))
    assert (home / "new" / "kabar.yaml").is_file()


def test_the_first_outlets_may_come_from_a_list(home: Path) -> None:
    (home / "outlets" / "lama.yaml").unlink()
    (home / "outlets").rmdir()
    assert "3 feeds of 2 outlets written" in warta("import", str(home / "feeds.opml"), "--config", str(home))
    assert "2 outlets and 3 sources are enabled" in warta("check", "--config", str(home))
