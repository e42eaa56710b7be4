import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.cluster.account import Account, server_account
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout, make_home, make_private_folder

ME = Account("me", os.geteuid(), os.getegid(), frozenset())

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=250)


@given(st.lists(names, min_size=1, max_size=3))
def test_socket_path_is_short_whatever_the_home(parts):
    sockets = Layout(Path("/", *parts)).sockets
    # 104 bytes with the final zero on macOS, 108 on Linux.
    assert len(os.fsencode(sockets / ".s.PGSQL.65535.lock")) < 104
    assert "," not in str(sockets)


def test_socket_is_in_the_home_where_that_is_short_enough():
    assert Layout(Path("/home/ada/.local/share/roman-db")).sockets.is_relative_to("/home/ada")


def test_two_long_homes_do_not_share_a_socket():
    homes = [Path("/" + 150 * "x") / name for name in "ab"]
    assert Layout(homes[0]).sockets != Layout(homes[1]).sockets


def test_new_home_is_private(folder):
    make_home(folder / "deep/home", ME)
    assert (folder / "deep/home").stat().st_mode & 0o777 == 0o700


def test_home_lets_the_servers_account_pass_and_no_more(folder):
    stranger = Account("stranger", 4242, 4242, frozenset())
    make_home(folder / "home", stranger)
    assert (folder / "home").stat().st_mode & 0o777 == 0o711


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_folder_that_others_can_look_into_is_not_private(folder, mode):
    (folder / "run").mkdir()
    (folder / "run").chmod(mode)
    with pytest.raises(ClusterError, match="not a folder of user me alone"):
        make_private_folder(folder / "run", ME)


def test_link_is_no_private_folder(folder):
    (folder / "elsewhere").mkdir(mode=0o700)
    (folder / "run").symlink_to(folder / "elsewhere")
    with pytest.raises(ClusterError, match="not a folder of user me alone"):
        make_private_folder(folder / "run", ME)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_folder_of_somebody_else_is_not_private(folder):
    (folder / "run").mkdir(mode=0o700)
    os.chown(folder / "run", 4242, 4242)
    account = server_account(folder / "cluster")
    with pytest.raises(ClusterError, match="not a folder of user"):
        make_private_folder(folder / "run", account)
