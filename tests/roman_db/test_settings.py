import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from roman_db.settings import ROOT_HOME, Settings, default_home, settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("ROMAN_DB_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def ordinary_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_nothing_has_to_be_set():
    assert Settings().url is None
    assert Settings().workers >= 1


@pytest.mark.parametrize(
    ("xdg", "expected"),
    [
        (None, "/home/ada/.local/share/roman-db"),
        ("/data/ada", "/data/ada/roman-db"),
        ("", "/home/ada/.local/share/roman-db"),
        ("relative/is/ignored", "/home/ada/.local/share/roman-db"),
    ],
)
def test_home_follows_xdg(ordinary_user, monkeypatch, xdg, expected):
    if xdg is not None:
        monkeypatch.setenv("XDG_DATA_HOME", xdg)
    assert default_home() == Path(expected)


def test_home_of_root_is_open_to_the_servers_account(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home() == ROOT_HOME


def test_environment_is_read_and_home_made_absolute(ordinary_user, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": "~/sky", "PG_BIN": "bin", "PG_PORT": "5499", "LOG_LEVEL": "DEBUG"}.items():
        monkeypatch.setenv(f"ROMAN_DB_{name}", value)
    found = Settings()
    assert (found.home, found.pg_bin) == (Path("/home/ada/sky"), tmp_path / "bin")
    assert (found.pg_port, found.log_level) == (5499, "debug")


def test_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("ROMAN_DB_URL", "")
    monkeypatch.setenv("ROMAN_DB_PG_PORT", "")
    assert (Settings().url, Settings().pg_port) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "mysql://host/db"),
        ("URL", "postgresql://host:port/db"),
        ("URL", "postgresql://host:70000/db"),
        ("URL", "postgresql://ada:s3/cret@host/db"),
        ("URL", "postgresql://[host/db"),
        ("URL", "postgresql://host"),
        ("READER_URL", "mysql://host/db"),
        ("READER_URL", "postgresql://host/db"),
        ("PG_PORT", "80"),
        ("PG_PORT", "http"),
        ("PG_MEMORY_MB", "1"),
        ("WORKERS", "0"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_wrong_value_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"ROMAN_DB_{name}", value)
    with pytest.raises(ValidationError, match=f"(?i){name}"):
        Settings()


@pytest.mark.parametrize(
    "url", ["postgresql://ada:s3cret@host/db", "s3cret://ada@host/db", "postgresql://ada:s3cret/@host/db"]
)
def test_password_never_shows(monkeypatch, url):
    monkeypatch.setenv("ROMAN_DB_URL", url)
    try:
        shown = f"{Settings()} {Settings()!r}"
    except ValidationError as error:
        shown = str(error)
    assert "s3cret" not in shown


def test_both_urls_may_go_without_host_and_port(monkeypatch):
    url = "postgresql:///roman?host=/run/postgresql"
    for name in ("URL", "READER_URL"):
        monkeypatch.setenv(f"ROMAN_DB_{name}", url)
    assert (Settings().url, Settings().reader_url) == (url, url)


def test_settings_are_read_once_and_cannot_be_changed():
    assert settings() is settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings().workers = 3


def test_every_setting_is_described():
    assert all(len(field.description or "") > 30 for field in Settings.model_fields.values())


def test_documentation_has_every_setting():
    page = Path(__file__).parents[2] / "docs/operator/install.md"
    rows = {line for line in page.read_text().splitlines() if line.startswith("| `ROMAN_DB_")}
    assert rows == {
        f"| `ROMAN_DB_{name.upper()}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("listed", ["127.0.0.1", "::1, 10.0.0.0/8", "2001:db8::/32"])
def test_proxies_are_addresses_or_networks(monkeypatch, listed):
    monkeypatch.setenv("ROMAN_DB_TAP_PROXIES", listed)
    assert Settings().tap_proxies == listed


@pytest.mark.parametrize("listed", ["*", "localhost", "127.0.0.1,", "10.0.0.0/33", "127.0.0.1 ::1"])
def test_what_is_no_address_of_a_proxy_is_refused(monkeypatch, listed):
    monkeypatch.setenv("ROMAN_DB_TAP_PROXIES", listed)
    with pytest.raises(ValidationError, match="is no address or network"):
        Settings()
