import pytest

from roman_db.cluster.diagnosis import explained

PREFIX = "2027-02-12 06:08:47.284 GMT [19703] "


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        # As PostgreSQL 15 words them.
        ('LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', "TCP port is in use"),
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', "disk is full"),
        (
            'ERROR:  could not extend file "base/5/1": wrote only 4096 of 8192 bytes at block 7',
            "disk is full",
        ),
        ('FATAL:  could not create lock file "postmaster.pid": Read-only file system', "read-only"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "not enough memory"),
        ("FATAL:  database files are incompatible with server", "made by another PostgreSQL"),
        (
            "postgres: error while loading shared libraries: libicuuc.so.72: cannot open",
            "lacks a shared library",
        ),
        ('FATAL:  could not open file "global/pg_control": Permission denied', "may not read or write"),
    ],
)
def test_message_is_explained(tmp_path, message, meaning):
    error = explained(f"{PREFIX}LOG:  starting\n{PREFIX}{message}\n", tmp_path, "it failed")
    assert meaning in error.what
    assert message in str(error)
    assert PREFIX not in str(error)
    assert str(error).startswith(f"{tmp_path}: ")


def test_unknown_message_is_passed_on(tmp_path):
    noise = "".join(f"{PREFIX}LOG:  line {number}\n" for number in range(10))
    error = explained(noise + f"{PREFIX}PANIC:  the moon is full\n" + noise, tmp_path, "it failed")
    assert error.what == "it failed: PANIC:  the moon is full"


def test_silence_is_told(tmp_path):
    assert explained("\n", tmp_path, "it failed").what == "it failed: it said nothing"
