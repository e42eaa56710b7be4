"""Limits: arithmetic that holds for all tiers and grants."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from roman_db.accounts.limits import Grant, Limits, Resource, effective

_NOW = datetime(2027, 3, 1, tzinfo=UTC)
_WHOLE, _REAL = st.integers(1, 10**15), st.floats(0.1, 1e7)
_TIERS = st.builds(
    Limits,
    rows=_WHOLE,
    seconds_sync=_REAL,
    seconds_async=_REAL,
    concurrent=st.integers(1, 100),
    scratch_bytes=_WHOLE,
    upload_bytes=_WHOLE,
    sky_area=_REAL,
    day_rows=_WHOLE,
    day_seconds=_REAL,
    job_bytes=_WHOLE,
    pending_jobs=_WHOLE,
)
_GRANTS = st.lists(
    st.builds(
        Grant,
        resource=st.sampled_from(list(Resource)),
        amount=st.floats(0.5, 1e15),
        expires_at=st.integers(-100, 100).map(lambda days: _NOW + timedelta(days=days)),
    ),
    max_size=12,
)


@given(_TIERS, _GRANTS)
def test_each_limit_is_the_largest_of_the_tiers_and_the_grants_that_hold(tier, grants):
    found = asdict(effective(tier, grants, _NOW))
    for resource in Resource:
        has = getattr(tier, resource)
        amounts = [g.amount for g in grants if g.resource is resource and (g.expires_at - _NOW).days > 0]
        rounded = [float(amount // 1) for amount in amounts] if isinstance(has, int) else amounts
        assert found[resource] == max([has, *rounded])
        assert type(found[resource]) is type(has)


@given(_TIERS, _GRANTS)
def test_order_and_repetition_of_grants_do_not_matter(tier, grants):
    assert effective(tier, grants, _NOW) == effective(tier, [*reversed(grants), *grants], _NOW)
    assert effective(effective(tier, grants, _NOW), grants, _NOW) == effective(tier, grants, _NOW)


@given(_TIERS, _GRANTS)
def test_what_was_granted_ends(tier, grants):
    assert effective(tier, grants, _NOW + timedelta(days=101)) == tier
