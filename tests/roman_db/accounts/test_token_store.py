"""Signing in: what does and what does not, and that secrets are nowhere."""

import hashlib
from unittest import mock

import pytest

from roman_db.accounts import tokens
from roman_db.accounts.account_store import close_account, renew_account
from roman_db.accounts.token_store import MOST_TOKENS, create_token, list_tokens, revoke_token, sign_in
from roman_db.accounts.tokens import Scope, new_token
from roman_db.service_failure import BadRequest, NotFound, NotSignedIn
from tests.roman_db.conftest import execute

_COLUMNS = """
    SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
    WHERE table_schema = 'ops' AND table_type = 'BASE TABLE'
"""


def test_a_token_signs_in_for_what_it_is_for(new_account):
    account = new_account()
    token, info = create_token(account.name, ["notebook", "query"], 30, "laptop")
    for name in (None, account.name):
        signed_in = sign_in(token.text, name)
        assert signed_in.account.account_id == account.account_id
        assert signed_in.scopes == {Scope.QUERY, Scope.NOTEBOOK}
    assert (info.expires_at - info.created_at).days == 30
    (listed,) = list_tokens(account.name)
    assert (listed.token_id, listed.description) == (token.token_id, "laptop")
    assert listed.last_used_at is not None


def test_a_secret_is_stored_nowhere_in_clear(accounts_database, new_account):
    token, _ = create_token(new_account().name, ["query"], 30)
    sign_in(token.text)
    stored = [
        row
        for (name,) in execute(accounts_database, _COLUMNS)
        for (row,) in execute(accounts_database, f"SELECT to_jsonb(t)::text FROM {name} AS t")
    ]
    with_id = [row for row in stored if token.token_id in row]
    assert len(with_id) == 1
    assert hashlib.sha256(token.secret.encode()).hexdigest() in with_id[0]
    raw = token.secret.encode().hex()
    assert not any(token.secret in row or raw in row for row in stored)


def test_the_table_takes_no_shorter_digest(accounts_database, new_account):
    token, _ = create_token(new_account().name, ["query"], 30)
    with pytest.raises(Exception, match="account_token_digest_length_check"):
        execute(
            accounts_database,
            f"UPDATE ops.account_token SET digest = 'secret' WHERE token_id = '{token.token_id}'",
        )


def test_whatever_is_wrong_is_refused_alike(accounts_database, new_account):
    account, closed, suspended, other = (new_account() for _ in range(4))
    made = {name: create_token(account.name, ["query"], 30)[0] for name in ("good", "expired", "revoked")}
    past = "created_at = now() - INTERVAL '2 days', expires_at = now() - INTERVAL '1 second'"
    expire = f"UPDATE ops.account_token SET {past} WHERE token_id = '{made['expired'].token_id}'"
    execute(accounts_database, expire)
    revoke_token(made["revoked"].token_id)
    of_closed, of_suspended = (create_token(one.name, ["query"], 30)[0] for one in (closed, suspended))
    close_account(closed.name)
    suspend = f"UPDATE ops.account SET state = 'suspended' WHERE name = '{suspended.name}'"
    execute(accounts_database, suspend)
    mixed = tokens.Token(made["good"].token_id, new_token().secret)
    attempts = [
        (made["expired"].text, None),
        (made["revoked"].text, None),
        (new_token().text, None),
        (mixed.text, None),
        (of_closed.text, None),
        (of_suspended.text, None),
        (made["good"].text, other.name),
        (made["good"].text, ""),
        ("", None),
        ("password", "anonymous"),
        (made["good"].text + " ", None),
        ("'; DROP TABLE ops.account; --", None),
    ]
    refusals = set()
    for text, name in attempts:
        with (
            mock.patch.object(
                tokens.hmac, "compare_digest", side_effect=tokens.hmac.compare_digest
            ) as compare,
            pytest.raises(NotSignedIn) as refused,
        ):
            sign_in(text, name)
        assert compare.call_count == 1, text
        refusals.add((type(refused.value), str(refused.value)))
    assert len(refusals) == 1
    assert sign_in(made["good"].text).account.name == account.name
    renew_account(suspended.name)
    assert sign_in(of_suspended.text).account.name == suspended.name


def test_a_revoked_token_stays_so_and_is_revoked_by_its_owner_alone(new_account):
    account, other = new_account(), new_account()
    token, _ = create_token(account.name, ["query"], 30)
    with pytest.raises(NotFound):
        revoke_token(token.token_id, other.name)
    sign_in(token.text)
    revoke_token(token.token_id, account.name)
    (first,) = list_tokens(account.name)
    revoke_token(token.token_id)
    assert list_tokens(account.name) == [first]
    with pytest.raises(NotFound):
        revoke_token("0" * 20)


@pytest.mark.parametrize(("scopes", "days"), [(["query"], 0), (["query"], 367), ([], 1), (["root"], 1)])
def test_tokens_that_make_no_sense_are_refused(new_account, scopes, days):
    account = new_account()
    with pytest.raises(BadRequest):
        create_token(account.name, scopes, days)
    assert list_tokens(account.name) == []


def test_an_account_has_only_so_many_tokens(new_account):
    account = new_account()
    made = [create_token(account.name, ["query"], 1)[0] for _ in range(MOST_TOKENS)]
    with pytest.raises(BadRequest, match="revoke some first"):
        create_token(account.name, ["query"], 1)
    revoke_token(made[0].token_id)
    create_token(account.name, ["query"], 1)
