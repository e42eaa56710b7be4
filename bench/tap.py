"""The TAP service over HTTP: short queries, light curves, streams, jobs, uploads, and taplint."""

from __future__ import annotations

import io
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyvo
import requests
from astropy.io import votable
from astropy.table import Table

from bench.light_curve_blocks import FIRST_DAY, N_EPOCH, POINTS, epochs, key, photometry, positions, prepare
from bench.record import Figure
from bench.server import bench_server, seconds
from loaders.light_curve.load import write_block
from roman_db import session

_AREA = "tap"
#: Days of light curves: 10.8 million points.
_DAYS = 9
#: Days of a light curve of 600 points.
_CURVE_DAYS = 5
_TURNS, _CLIENTS, _CURVES = 200, 8, 400
_N_UPLOAD = 1000
#: Objects that one request for light curves may name.
_MOST_OBJECTS = 10_000
_ONE_ROW = "SELECT object_id, ra, dec FROM roman.object WHERE object_id = {}"
_CURVE = (
    "SELECT midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve WHERE object_id = {} "
    f"AND midpoint_mjd_tdb < {FIRST_DAY + _CURVE_DAYS}"
)
_ALL = "SELECT object_id, midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve"
_MATCH = (
    "SELECT m.number, o.object_id FROM TAP_UPLOAD.mine AS m JOIN roman.object AS o "
    "ON DISTANCE(m.ra, m.dec, o.ra, o.dec) < 0.3/3600"
)
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
        with _served() as (process, address):
            yield from _short(address)
            yield _match(address)
            yield _job(address)
            yield from _bulk(address)
            yield from _streams(process, address)
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


def _short(address: str) -> Iterator[Figure]:
    """One row, and light curves."""
    object_id = positions()[0]
    with requests.Session() as client:
        times = [
            seconds(lambda one=one: _asked(client, address, _ONE_ROW.format(one)))
            for one in object_id[: _TURNS + 10]
        ]
    yield Figure(_AREA, "query of one row, median", 1e3 * statistics.median(times[10:]), "ms", 20, "min")
    with ThreadPoolExecutor(_CLIENTS) as pool:
        shares = np.array_split(object_id[:_CURVES], _CLIENTS)
        passed = seconds(lambda: list(pool.map(lambda share: _curves(address, share), shares)))
    name = f"light curves of {_CURVE_DAYS * N_EPOCH} points, {_CLIENTS} clients"
    yield Figure(_AREA, name, _CURVES / passed, "/s", 150, "max")


def _curves(address: str, objects: np.ndarray) -> None:
    """Ask for light curves one after another."""
    with requests.Session() as client:
        for one in objects:
            lines = _asked(client, address, _CURVE.format(one), RESPONSEFORMAT="csv").count(b"\n")
            assert lines == 1 + _CURVE_DAYS * N_EPOCH, lines


def _match(address: str) -> Figure:
    """Places of a list matched with the catalog."""
    _, ra, dec = positions()
    mine = Table({"number": np.arange(_N_UPLOAD), "ra": ra[:_N_UPLOAD], "dec": dec[:_N_UPLOAD]})
    file = io.BytesIO()
    votable.from_table(mine).to_xml(file, tabledata_format="binary2")

    def ask() -> None:
        form = {"LANG": "ADQL", "QUERY": _MATCH, "UPLOAD": "mine,param:mine", "RESPONSEFORMAT": "csv"}
        answer = client.post(f"{address}/sync", data=form, files={"mine": ("mine.xml", file.getvalue())})
        assert answer.content.count(b"\n") > _N_UPLOAD, answer.text[:300]

    with requests.Session() as client:
        times = [seconds(ask) for _ in range(20)]
    name = f"join of an upload of {_N_UPLOAD} rows, median"
    return Figure(_AREA, name, statistics.median(times), "s", 0.15, "min")


def _job(address: str) -> Figure:
    """The whole life of a small job, as pyvo leads it."""
    service = pyvo.dal.TAPService(address)

    def lead() -> None:
        found = service.run_async("SELECT TOP 1 object_id FROM roman.object")
        assert len(found) == 1

    lead()  # pyvo asks for capabilities once
    times = [seconds(lead) for _ in range(20)]
    return Figure(_AREA, "job of one row from pyvo, median", statistics.median(times), "s", 0.3, "min")


def _streams(process: psutil.Process, address: str) -> Iterator[Figure]:
    """Rates of long results, and memory of the service after each."""
    for title, format_ in (("CSV", "csv"), ("BINARY2", "votable"), ("Parquet", "parquet"), ("FITS", "fits")):
        form = {"LANG": "ADQL", "QUERY": _ALL, "RESPONSEFORMAT": format_, "MAXREC": str(10**9)}
        passed = seconds(lambda form=form: _received(address, form))
        rate = _DAYS * POINTS / passed
        target = 500_000 if title in ("CSV", "BINARY2") else None
        yield Figure(_AREA, f"{_DAYS * POINTS:,} rows as {title}", rate, "rows/s", target, "max")
        name = f"most memory of the service so far, after {title}"
        yield Figure(_AREA, name, _most_memory(process), "MB", 300, "min")


def _bulk(address: str) -> Iterator[Figure]:
    """Rate of light curves of thousands of objects in one request."""
    root = address.removesuffix("/tap")
    objects = positions()[0][:_MOST_OBJECTS].tolist()
    points = len(objects) * N_EPOCH * _DAYS
    for title, format_ in (("BINARY2", "votable"), ("Parquet", "parquet")):
        form = {"ID": ",".join(map(str, objects)), "RESPONSEFORMAT": format_}
        passed = seconds(lambda form=form: _received(root, form, "timeseries"))
        name = f"light curves of {len(objects):,} objects, {points:,} points as {title}"
        yield Figure(_AREA, name, points / passed, "rows/s", 500_000, "max")


def _received(address: str, form: dict[str, str], path: str = "sync") -> int:
    """Bytes of an answer, which is not kept."""
    headers = {"Accept-Encoding": "identity"}
    with requests.post(f"{address}/{path}", data=form, headers=headers, stream=True, timeout=600) as answer:
        answer.raise_for_status()
        return sum(map(len, answer.iter_content(2**20)))


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


def _asked(client: requests.Session, address: str, query: str, **more: str) -> bytes:
    answer = client.post(f"{address}/sync", data={"LANG": "ADQL", "QUERY": query} | more)
    answer.raise_for_status()
    return answer.content
