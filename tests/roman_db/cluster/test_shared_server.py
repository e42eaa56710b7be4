"""The fixtures that all tests share."""

import pytest
import sqlalchemy as sa


def test_administrator_is_a_superuser(cluster_url, ask):
    assert ask(cluster_url, "SELECT usesuper FROM pg_user WHERE usename = current_user") == [(True,)]
    assert ask(cluster_url, "SHOW fsync") == [("off",)]


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_gets_an_empty_database(empty_database, ask, time):
    relations = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert ask(empty_database, relations) == [(0,)]
    ask(empty_database, "CREATE TABLE traces (n int)")
    name = sa.make_url(empty_database).database
    assert ask(empty_database, "SELECT current_database()") == [(name,)]


def test_q3c_can_be_created_in_it(empty_database, ask):
    distance = ask(empty_database, "CREATE EXTENSION q3c", "SELECT q3c_dist(10.0, 89.0, 190.0, 89.0)")
    # Over the pole: one degree up and one down.
    assert distance[0][0] == pytest.approx(2.0)
