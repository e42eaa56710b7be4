import grp
import os
import pwd

import pytest

from roman_db.cluster import account
from roman_db.cluster.account import Account, check_reachable, server_account
from roman_db.cluster.error import ClusterError

from .conftest import acting_as

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = pwd.getpwnam("nobody")
STRANGER = Account("stranger", 4242, 4242, frozenset({4242}))


@pytest.mark.skipif(os.geteuid() == 0, reason="root runs the server as somebody else")
def test_ordinary_user_runs_it_himself(tmp_path):
    assert server_account(tmp_path / "cluster").is_current


@needs_root
class TestRoot:
    def test_takes_the_owner_of_the_files(self, tmp_path):
        os.chown(tmp_path, NOBODY.pw_uid, NOBODY.pw_gid)
        found = server_account(tmp_path)
        assert (found.name, found.uid, found.is_current) == ("nobody", NOBODY.pw_uid, False)

    @pytest.mark.parametrize("names", [["postgres", "nobody"], ["nobody", "postgres"], ["nobody"]])
    def test_takes_postgres_else_nobody_for_new_files(self, tmp_path, monkeypatch, names):
        users = {"postgres": 101, "nobody": 65534}
        entries = [
            pwd.struct_passwd((name, "x", users[name], users[name], "", "/", "/bin/false")) for name in names
        ]
        monkeypatch.setattr(pwd, "getpwall", lambda: entries)
        monkeypatch.setattr(pwd, "getpwuid", lambda uid: next(one for one in entries if one.pw_uid == uid))
        expected = "postgres" if "postgres" in names else "nobody"
        assert server_account(tmp_path / "cluster").name == expected

    def test_without_either_says_what_to_create(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pwd, "getpwall", list)
        with pytest.raises(ClusterError, match="useradd --system postgres"):
            server_account(tmp_path / "cluster")

    def test_user_without_a_name_is_told(self, folder):
        # What a container started with `--user 12345` looks like.
        folder.chmod(0o777)
        with acting_as(123456), pytest.raises(ClusterError, match="user id 123456 has no name"):
            server_account(folder / "cluster")


@pytest.mark.parametrize(
    ("mode", "open_"), [(0o711, True), (0o755, True), (0o700, False), (0o754, False), (0o770, False)]
)
def test_outermost_closed_folder_is_named(folder, mode, open_):
    inner = folder / "closed/inner"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    (folder / "closed").chmod(mode)
    if open_:
        check_reachable(inner, STRANGER)
    else:
        with pytest.raises(ClusterError, match=f"{folder}/closed is closed to user stranger"):
            check_reachable(inner, STRANGER)


def test_group_may_open_a_folder(folder):
    (folder / "shared").mkdir()
    (folder / "shared").chmod(0o710)
    group = grp.getgrgid((folder / "shared").stat().st_gid)
    member = Account("member", 4242, 4242, frozenset({4242, group.gr_gid}))
    check_reachable(folder / "shared", member)
    with pytest.raises(ClusterError):
        check_reachable(folder / "shared", STRANGER)


def test_current_user_needs_no_check(tmp_path):
    here = Account("me", os.geteuid(), os.getegid(), frozenset())
    (tmp_path / "own").mkdir(mode=0o000)
    check_reachable(tmp_path / "own", here)
    assert account._name(os.geteuid()) == pwd.getpwuid(os.geteuid()).pw_name
