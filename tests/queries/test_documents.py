"""The pages for scientists say what is true: their commands are run, and all there is is on them."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from roman_db import sqlfile
from roman_db.query.commands import commands

PAGES = Path(__file__).parents[2] / "docs" / "scientist"
TEXT = {name: (PAGES / f"{name}.md").read_text() for name in ("queries", "light_curves")}
COMMANDS = [
    line.removeprefix("$ roman-db ")
    for text in TEXT.values()
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines()
]
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT["light_curves"], re.DOTALL)


@click.group()
def root():
    """Stand in for roman-db."""


commands(root)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_it_says(survey, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    result = CliRunner().invoke(root, words)
    assert result.exit_code == 0, result.output
    for option in ("--out", "--plot"):
        if option in words:
            assert Path(words[words.index(option) + 1]).stat().st_size > 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs(survey, program, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "light_curves.md", "exec"), {})
    assert "F146 [24614" in capsys.readouterr().out
    assert Path("nearest.png").exists()


def test_the_summary_shown_is_the_one_printed(survey):
    shown = next(block for block in re.findall(r"```text\n(.*?)```", TEXT["light_curves"], re.DOTALL))
    assert CliRunner().invoke(root, ["lightcurve", "--id", "2028207501133217000"]).stdout == shown


def test_the_error_shown_is_the_one_said(survey):
    (shown,) = re.findall(r"```text\n(Error.*?)```", TEXT["queries"], re.DOTALL)
    assert CliRunner().invoke(root, ["query", "SELECT fluxx FROM roman.light_curve"]).stderr == shown


@pytest.mark.parametrize("file", sqlfile.read_all("examples"), ids=lambda file: file.name)
def test_every_example_is_on_the_page(file):
    assert f"| `{file.name}` |" in TEXT["queries"]
