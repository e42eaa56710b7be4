"""Hosts of their own for workers: network namespaces, each with a name and a link to this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

#: Networks for trying out devices, which belong to nobody (RFC 2544): four addresses a host.
_NETWORK = "198.18.{host}.{address}"


@dataclass(frozen=True)
class Host:
    """A network namespace with a link whose end here can be taken down."""

    name: str
    number: int

    @property
    def namespace(self) -> str:
        """Its name in the kernel."""
        return f"roman-db-{os.getpid()}-{self.name}"

    @property
    def link(self) -> str:
        """Name of the end of its link here, of 15 characters at most."""
        return f"rdb{os.getpid()}h{self.number}"

    @property
    def server(self) -> str:
        """Address under which it finds this machine."""
        return _NETWORK.format(host=self.number, address=1)

    def words(self, command: Sequence[str]) -> list[str]:
        """Words of a command that runs on the host."""
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name, *command]
        return ["ip", "netns", "exec", self.namespace, *named]

    def cut(self) -> None:
        """Let nothing through any more; neither side is told."""
        _run("ip", "link", "set", self.link, "down")

    def mend(self) -> None:
        """Let everything through again."""
        _run("ip", "link", "set", self.link, "up")


@contextlib.contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Make hosts, and remove them at the end; where that is not allowed the test is skipped."""
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need the command ip (package iproute2)")
    made = [Host(name, number) for number, name in enumerate(names)]
    with contextlib.ExitStack() as stack:
        for host in made:
            words = ["ip", "netns", "add", host.namespace]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"network namespaces need root: {done.stderr.strip()}")
            stack.callback(_run, "ip", "netns", "delete", host.namespace)
            _connect(host)
        yield made


def _connect(host: Host) -> None:
    """Give a host its link, which goes with its namespace."""
    there = ["ip", "-netns", host.namespace]
    own = ["type", "veth", "peer", "name", "eth0", "netns", host.namespace]
    _run("ip", "link", "add", host.link, *own)
    _run("ip", "address", "add", f"{host.server}/30", "dev", host.link)
    _run(*there, "address", "add", f"{_NETWORK.format(host=host.number, address=2)}/30", "dev", "eth0")
    _run("ip", "link", "set", host.link, "up")
    _run(*there, "link", "set", "eth0", "up")


def _run(*words: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(words, check=True, capture_output=True)
