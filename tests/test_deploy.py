"""The files for deployment say what the program takes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml

from config.load import load
from scheduler.cli.main import MODULES

ROOT = Path(__file__).parents[1]


def test_the_shared_configuration_of_the_compose_file_is_valid(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config" / "outlets", tmp_path / "outlets")
    shutil.copy(ROOT / "deploy" / "shared.yaml", tmp_path / "shared.yaml")

    settings = load(tmp_path / "shared.yaml", {"WARTA_REDIS_PASSWORD": "pass-word", "WARTA_DB_PASSWORD": "pass-word"})

    assert settings.redis.endswith("@redis:6379/0")
    assert any(outlet.enabled for outlet in settings.outlets)


def test_compose_starts_commands_that_exist_and_passes_the_passwords_that_are_asked_for() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]

    assert {services[name]["command"][0] for name in ("scheduler", "worker")} <= set(MODULES)
    wanted = set(re.findall(r"\$\{(\w+)\}", (ROOT / "deploy" / "shared.yaml").read_text(encoding="utf-8")))
    assert wanted <= set(services["worker"]["environment"])


def test_the_image_copies_every_package_and_runs_a_command_that_exists() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")

    for package in ("config", "storage", "crawlers", "monitor", "scheduler", "newsroom"):
        assert f"COPY {package} {package}" in text
    assert all(words.split('"')[1] in MODULES for words in re.findall(r'(?<=CMD \["warta", )"\w+"', text))


def test_the_unit_starts_a_command_that_exists() -> None:
    text = (ROOT / "deploy" / "warta.service").read_text(encoding="utf-8")

    (started,) = re.findall(r"^ExecStart=\S+/warta (\w+)", text, re.MULTILINE)
    assert started in MODULES
    assert "Type=notify" in text
