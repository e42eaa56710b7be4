"""Threads of the service share arenas of glibc's heap, as glibc itself counts them."""

import platform
import re
import subprocess
import sys

import pytest

_ARENAS = """
import ctypes, sys, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
if sys.argv[1] == "shared":
    from roman_db.tap.heap import share_arenas
    share_arenas()
together = threading.Barrier(12)
def allocate():
    together.wait()
    libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
sink = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, sink)
libc.fclose(sink)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another library has other arenas")
def test_threads_share_two_arenas():
    def n_arena(how: str) -> int:
        command = [sys.executable, "-c", _ARENAS, how]
        counted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return len(re.findall(r"<heap nr=", counted))

    assert n_arena("shared") <= 2 < n_arena("own")
