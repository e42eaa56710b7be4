"""The examples of services start commands that there are, with settings that there are."""

import configparser
from pathlib import Path

import pytest
import yaml

from roman_db.cli import root
from roman_db.queue.commands import commands
from roman_db.settings import Settings
from roman_db.tap.commands import commands as service_commands

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def known(monkeypatch):
    """Commands of the command line by their names, with those of queue and service."""
    monkeypatch.setattr(root, "commands", dict(root.commands))
    commands(root)
    service_commands(root)
    return root.commands


def check(known, words, names):
    """Let the command's own parser read the words, and look for the settings."""
    program, name, *rest = words
    assert Path(program).name == "roman-db"
    known[name].make_context(name, rest).close()
    ours = {f"ROMAN_DB_{field.upper()}" for field in Settings.model_fields}
    assert {name for name in names if name.startswith("ROMAN_DB_")} <= ours


@pytest.mark.parametrize("name", ["roman-db-worker@.service", "roman-db-serve.service"])
def test_the_units_of_systemd(known, name):
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(EXAMPLES / "systemd" / name)
    service = unit["Service"]
    check(known, service["ExecStart"].split(), [one.split("=")[0] for one in service["Environment"].split()])


def test_the_services_of_compose(known):
    services = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())["services"]
    for name in ("serve", "worker"):
        check(known, services[name]["command"], services[name]["environment"])
    assert services["worker"]["environment"]["ROMAN_DB_URL"].startswith("${ROMAN_DB_URL")
