"""Tokens without a database."""

import hashlib
import hmac
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.accounts.tokens import Scope, matches, new_token, parse_token, scope_words
from roman_db.service_failure import BadRequest


def test_a_token_is_read_back_and_shows_itself_nowhere_else():
    token = new_token()
    assert parse_token(token.text) == token
    assert token.secret in token.text
    assert token.secret not in repr(token) + str(token) + f"{token}"


def test_tokens_have_256_random_bits_and_differ():
    tokens = [new_token() for _ in range(1000)]
    assert len({token.secret for token in tokens}) == len({token.token_id for token in tokens}) == 1000
    # 43 characters of 6 bits: each of the 64 is as frequent as chance has it (672 +- 26).
    counts = [sum(token.secret[:42].count(letter) for token in tokens) for letter in _ALPHABET]
    assert sum(counts) == 42_000
    assert min(counts) > 500
    assert max(counts) < 850


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_the_digest_is_sha256_of_the_secret():
    token = new_token()
    assert token.digest == hashlib.sha256(token.secret.encode()).digest()
    assert matches(token, token.digest)


@given(st.integers(0, 42), st.sampled_from(_ALPHABET))
def test_one_other_character_is_another_token(place, letter):
    token = new_token()
    changed = token.secret[:place] + letter + token.secret[place + 1 :]
    other = parse_token(f"rdb_{token.token_id}_{changed}")
    assert matches(other, token.digest) == (changed == token.secret)


def test_digests_are_compared_in_constant_time_whether_or_not_the_id_is_known():
    token = new_token()
    for stored in (token.digest, new_token().digest, None):
        with mock.patch("hmac.compare_digest", side_effect=hmac.compare_digest) as compare:
            matches(token, stored)
        ((left, right), _) = compare.call_args
        assert len(left) == len(right) == 32


@given(st.text(max_size=200))
def test_other_text_is_no_token(text):
    assert parse_token(text) is None
    assert parse_token(new_token().text + "x" + text) is None
    assert parse_token(new_token().text[:-1]) is None


@given(st.sets(st.sampled_from(list(Scope)), min_size=1))
def test_scopes_are_stored_in_one_way(scopes):
    assert set(scope_words(scopes).split(" ")) == scopes
    assert scope_words(sorted(scopes)) == scope_words(sorted(scopes, reverse=True))


@pytest.mark.parametrize("scopes", [[], ["admin"], ["query", "query scratch"]])
def test_scopes_that_are_none_are_refused(scopes):
    with pytest.raises(BadRequest, match="scopes of a token"):
        scope_words(scopes)
