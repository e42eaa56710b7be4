"""The TAP service over HTTP, beside DaCHS: short queries, light curves, streams, jobs, uploads, taplint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil

from bench import tap_peer, tap_work
from bench.light_curve_blocks import FIRST_DAY, N_EPOCH, POINTS, epochs, key, photometry, positions, prepare
from bench.record import Figure
from bench.server import bench_server, seconds
from bench.tap_work import CURVE_DAYS, N_CLIENT, N_UPLOAD
from loaders.light_curve.load import write_block
from roman_db import session

_AREA = "tap"
#: Days of light curves: 10.8 million points.
_DAYS = 9
_TURNS, _CURVES = 200, 400
#: Objects that one request for light curves may name.
_MOST_OBJECTS = 10_000
_SERVE = "from roman_db.tap.commands import serve; serve()"


def figures() -> Iterator[Figure]:
    """Fill a database, serve it, and measure what clients see."""
    with bench_server() as server:
        server.use("tap")
        context = prepare()
        for day in range(FIRST_DAY, FIRST_DAY + _DAYS):
            with session.transaction() as connection:
                write_block(connection, key(day), epochs(day), photometry(day), context)
        with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        peer = tap_peer.measured()
        with _served() as (process, address):
            yield from _works(address, peer)
            yield from _bulk(address)
            yield from _streams(process, address, peer)
            yield from _taplint(address)


@contextmanager
def _served() -> Iterator[tuple[psutil.Process, str]]:
    """A service as people start it, and its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _SERVE, "--port", "0"]
        environment = os.environ | {"ROMAN_DB_TAP_JOB_FOLDER": folder}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield psutil.Process(process.pid), process.stdout.readline().split()[-1]
            finally:
                process.terminate()
                process.wait(60)


def _works(address: str, peer: dict[str, float]) -> Iterator[Figure]:
    """One row, light curves, a list matched with the catalog, a job."""
    yield _beside(peer, "one row", "query of one row, median", tap_work.one_row(address, _TURNS), "ms", 20)
    name = f"light curves of {CURVE_DAYS * N_EPOCH} points, {N_CLIENT} clients"
    yield _beside(peer, "curves", name, tap_work.curves(address, _CURVES), "/s", 150, "max")
    name = f"join of an upload of {N_UPLOAD} rows, median"
    taken = tap_work.match(address, tap_work.BY_DISTANCE, 20)
    yield _beside(peer, "match", name, taken, "s", 0.15)
    yield _beside(peer, "job", "job of one row from pyvo, median", tap_work.job(address, 20), "s", 0.3)


def _beside(
    peer: dict[str, float],
    work: str,
    name: str,
    value: float,
    unit: str,
    target: float | None,
    sense: Literal["max", "min"] = "min",
) -> Figure:
    """Figure beside that of the peer, or the word that the peer is not here."""
    called = tap_peer.name() or "DaCHS, not installed"
    return Figure(_AREA, name, value, unit, target, sense, called, peer.get(work))


def _streams(process: psutil.Process, address: str, peer: dict[str, float]) -> Iterator[Figure]:
    """Rates of long results, and memory of the service after each."""
    for title, format_ in (("CSV", "csv"), ("BINARY2", "votable"), ("Parquet", "parquet"), ("FITS", "fits")):
        rate = tap_work.stream(address, _DAYS * POINTS, format_)
        name = f"{_DAYS * POINTS:,} rows as {title}"
        if title in ("CSV", "BINARY2"):
            yield _beside(peer, title, name, rate, "rows/s", 500_000, "max")
        else:
            yield Figure(_AREA, name, rate, "rows/s")
        name = f"most memory of the service so far, after {title}"
        yield Figure(_AREA, name, _most_memory(process), "MB", 300, "min")


def _bulk(address: str) -> Iterator[Figure]:
    """Rate of light curves of thousands of objects in one request."""
    root = address.removesuffix("/tap")
    objects = positions()[0][:_MOST_OBJECTS].tolist()
    points = len(objects) * N_EPOCH * _DAYS
    for title, format_ in (("BINARY2", "votable"), ("Parquet", "parquet")):
        form = {"ID": ",".join(map(str, objects)), "RESPONSEFORMAT": format_}
        passed = seconds(lambda form=form: tap_work.received(root, form, "timeseries"))
        name = f"light curves of {len(objects):,} objects, {points:,} points as {title}"
        yield Figure(_AREA, name, points / passed, "rows/s", 500_000, "max")


def _most_memory(process: psutil.Process) -> float:
    """Most resident memory that a process has had, in MB (proc_pid_status(5))."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes) * 1024 / 1e6


def _taplint(address: str) -> Iterator[Figure]:
    """Count what STILTS' taplint says, where there is one."""
    if shutil.which("stilts") is None:
        return
    done = subprocess.run(
        ["stilts", "taplint", f"tapurl={address}", "maxrepeat=3"], capture_output=True, text=True, check=False
    )
    totals = re.search(
        r"Totals: Errors: (\d+); Warnings: (\d+); Infos: \d+; Summaries: \d+; Failures: (\d+)", done.stdout
    )
    assert totals is not None, done.stdout[-500:]
    for name, count, target in zip(
        ("errors", "warnings", "failures"), totals.groups(), (0, 2, 0), strict=True
    ):
        yield Figure(_AREA, f"taplint: {name}", int(count), "", target, "min")
