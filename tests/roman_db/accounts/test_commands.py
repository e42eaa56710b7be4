"""``roman-db account`` as an operator calls it."""

import json
import re

import pytest

from roman_db.accounts.request_store import ask, list_requests
from roman_db.accounts.token_store import sign_in
from roman_db.service_failure import NotSignedIn
from tests.faults.command_line import roman_db
from tests.roman_db.accounts.conftest import again


@pytest.fixture
def entry_point(monkeypatch):
    """The command, added as the entry point of an installed release adds it."""
    from roman_db import cli  # noqa: PLC0415  # beside its one use
    from roman_db.accounts.commands import commands  # noqa: PLC0415

    commands(cli.root)


def done(*words):
    """What a command printed that went well."""
    outcome = roman_db("account", *words)
    assert (outcome.code, outcome.err.count("Error")) == (0, 0), outcome.err
    return outcome.out


def refused(*words):
    """What a command said that was refused."""
    outcome = roman_db("account", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    return outcome.err


def rows(text):
    """Rows of a listing by the names of their columns."""
    lines = [re.split(r"\s{2,}", line) for line in text.splitlines()]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]


def test_an_account_from_its_first_day_to_its_last(entry_point, accounts_database):
    assert "tier entry" in done("create", "grace", "--email", "grace@example.org", "--full-name", "Grace H.")
    token = done("token", "create", "grace", "--scope", "query", "--days", 5).strip()
    account = sign_in(token).account
    assert account.full_name == "Grace H."
    assert token not in done("token", "list", "grace")
    (listed,) = rows(done("token", "list", "grace"))
    assert listed["token_id"] in token
    assert listed["scopes"] == "query"
    done("team", "create", "compilers", "--purpose", "lenses")
    assert "tier team, team compilers" in done("move", "grace", "--tier", "team", "--team", "compilers")
    assert "grace" in done("team", "list")
    assert "no longer" in done("team", "share", "compilers", "--off")
    number = ask("grace", "rows", 1e9, "all of it")
    assert rows(done("request", "list"))[0]["reason"] == "all of it"
    done("request", "approve", number, "--days", 3, "--by", "Ada", "--amount", 5e8)
    assert re.search(r"rows +500000000\n", done("show", "grace"))
    assert list_requests("grace")[0].decided_by == "Ada"
    assert rows(done("request", "list", "--account", "grace")) == []
    assert "Ada" in done("request", "list", "--account", "grace", "--all")
    before = again(account).expires_at
    done("renew", "grace")
    assert again(account).expires_at > before
    assert [row["name"] for row in json.loads(done("due", "--days", 366, "--json"))] == ["grace"]
    assert rows(done("due", "--days", 1)) == []
    done("token", "revoke", listed["token_id"])
    with pytest.raises(NotSignedIn):
        sign_in(token)
    assert json.loads(done("usage", "grace", "--json")) == []
    assert rows(done("usage")) == []
    done("close", "grace", "--yes")
    assert [row["name"] for row in rows(done("list", "--state", "closed"))] == ["grace"]


def test_tiers_are_listed_with_their_accounts(entry_point, accounts_database):
    done("create", "edith", "--email", "edith@example.org", "--tier", "research")
    found = {row["tier"]: row for row in rows(done("tiers", "--apply"))}
    assert (found["research"]["n_account"], found["entry"]["n_planned"]) == ("1", "5000")


def test_what_is_wrong_is_one_line_without_a_traceback(entry_point, accounts_database):
    assert "no account with name 'nobody'" in refused("show", "nobody")
    assert "small letters" in refused("create", "Grace", "--email", "g@example.org")
    assert "no tier 'emperor'" in refused(
        "create", "emperor", "--email", "e@example.org", "--tier", "emperor"
    )
    assert "no token" in refused("token", "revoke", "x")
    assert "no request 99" in refused("request", "approve", 99, "--days", 1)
    assert "no team 'nowhere'" in refused("team", "share", "nowhere")
