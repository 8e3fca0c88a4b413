from __future__ import annotations

from pathlib import Path

from config.load import load
from monitor.web.reload import Difference, differences

OUTLET = """
name: Kabar
homepage: https://kabar.test/
sources:
  - {name: utama, kind: feed, url: "https://kabar.test/rss"}
"""


def write(place: Path, outlet: str, more: str = "") -> Path:
    (place / "outlets").mkdir(exist_ok=True)
    (place / "warta.yaml").write_text(f"data_dir: {place}\noutlets: [outlets/*.yaml]\n{more}")
    (place / "outlets" / "kabar.yaml").write_text(outlet)
    return place


def test_the_same_files_change_nothing(tmp_path: Path) -> None:
    running = load(write(tmp_path, OUTLET), {})

    assert differences(running, load(write(tmp_path, "# said otherwise\n" + OUTLET), {})) == []


def test_changed_values_are_named_and_what_comes_or_goes_is_one_line(tmp_path: Path) -> None:
    running = load(write(tmp_path, OUTLET), {})
    more = '  - {name: bursa, kind: feed, url: "https://kabar.test/bursa"}\n'
    changed = OUTLET.replace("kabar.test/rss", "kabar.test/new") + more
    files = load(write(tmp_path, changed, "log_level: debug\n"), {})

    found = differences(running, files)

    assert Difference("kabar/bursa/", None, "there") in found
    assert Difference("kabar/utama/url", "https://kabar.test/rss", "https://kabar.test/new") in found
    assert {d.key for d in found} == {"kabar/bursa/", "kabar/utama/url", "log_level"}
    assert Difference("kabar/bursa/", "there", None) in differences(files, running)
