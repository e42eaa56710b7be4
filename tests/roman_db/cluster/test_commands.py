import json

import pytest
from click.testing import CliRunner

from roman_db.cluster import commands
from roman_db.cluster.commands import cluster


@pytest.fixture
def run(settings, monkeypatch):
    monkeypatch.setattr(commands, "settings", lambda: settings)
    return lambda *arguments: CliRunner().invoke(cluster, arguments)


def test_start_status_and_stop(run, settings):
    assert run("status").exit_code == 3
    started = run("start")
    assert started.exit_code == 0
    assert f"home         {settings.home}" in started.output
    assert run("status").output == started.output
    assert run("stop").output == "stopped\n"
    assert run("stop").output == "it was not running\n"


def test_status_for_machines(run, settings):
    found = json.loads(run("status", "--json").output)
    assert (found["state"], found["home"], found["pid"]) == ("stopped", str(settings.home), None)
    run("start")
    found = json.loads(run("status", "--json").output)
    assert found["state"] == "running"
    assert found["url"].startswith("postgresql://")
    run("stop", "--immediate")


def test_url_is_one_that_psql_takes(run, ask):
    url = run("url").output.strip()
    assert ask(url, "SELECT current_database()") == [("roman",)]


def test_reader_has_a_url_of_their_own(run, ask):
    url = run("url", "--reader").output.strip()
    assert ask(url, "SELECT current_user::text, current_database()::text") == [("roman_reader", "roman")]


def test_programs_are_listed(run, settings):
    assert str(settings.pg_bin) in run("programs").output


def test_fault_is_one_line_and_an_exit_code(run, settings):
    (settings.home / "cluster/PG_VERSION").write_text("9.6\n")
    failed = run("start")
    assert failed.exit_code == 1
    assert failed.output.startswith(f"Error: {settings.home}/cluster: ")
    assert failed.output.count("\n") == 1


def test_every_command_says_what_it_does():
    runner = CliRunner()
    for name, command in cluster.commands.items():
        shown = runner.invoke(cluster, [name, "--help"])
        assert shown.exit_code == 0
        assert command.help.endswith(".")
