import fcntl
import subprocess

import pytest

from roman_db.cluster import lock
from roman_db.cluster.error import ClusterError


def test_second_holder_is_kept_out_until_the_first_is_done(tmp_path):
    path = tmp_path / "lock"
    with lock.held(path, 0) as first:
        assert first is not None
        with lock.held(path, 0.1) as second:
            assert second is None
    with lock.held(path, 0) as third:
        assert third is not None


def test_process_that_inherits_the_descriptor_holds_the_lock_while_it_lives(tmp_path):
    path = tmp_path / "lock"
    with lock.held(path, 0) as descriptor:
        heir = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
    with lock.held(path, 0.1) as meanwhile:
        assert meanwhile is None
    heir.kill()
    heir.wait()
    with lock.held(path, 5) as after:
        assert after is not None


def test_other_programs_do_not_inherit_it(tmp_path):
    path = tmp_path / "lock"
    with lock.held(path, 0):
        other = subprocess.Popen(["sleep", "60"], close_fds=False)
    with lock.held(path, 0) as descriptor:
        assert descriptor is not None
    other.kill()
    other.wait()


def test_place_without_a_lock_file_is_told(tmp_path):
    with pytest.raises(ClusterError, match="No such file or directory"), lock.held(tmp_path / "no/lock", 0):
        pass


def test_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(ClusterError, match="has no file locks"), lock.held(tmp_path / "lock", 0):
        pass
