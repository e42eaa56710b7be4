"""What clients do with a TAP service, timed: the same for ours and for a peer."""

from __future__ import annotations

import io
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyvo
import requests
from astropy.io import votable
from astropy.table import Table

from bench.light_curve_blocks import FIRST_DAY, N_EPOCH, positions
from bench.server import seconds

#: Days of a light curve of 600 points.
CURVE_DAYS = 5
#: Clients that ask at the same time.
N_CLIENT = 8
#: Rows of an uploaded table.
N_UPLOAD = 1000
#: Two ways to ask for matches within 0.3″; which is faster depends on the service.
BY_DISTANCE = "DISTANCE(m.ra, m.dec, o.ra, o.dec) < 0.3/3600"
BY_CIRCLE = "1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(m.ra, m.dec, 0.3/3600))"
ROWS = "object_id, midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve"
_ONE_ROW = "SELECT object_id, ra, dec FROM roman.object WHERE object_id = {}"
_CURVE = (
    "SELECT midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve WHERE object_id = {} "
    f"AND midpoint_mjd_tdb < {FIRST_DAY + CURVE_DAYS}"
)
_MATCH = "SELECT m.number, o.object_id FROM TAP_UPLOAD.mine AS m JOIN roman.object AS o ON {}"


def one_row(address: str, turns: int) -> float:
    """Median time of a query of one row, in ms; ten more come before and are not counted."""
    with requests.Session() as client:
        times = [
            seconds(lambda one=one: _asked(client, address, _ONE_ROW.format(one), RESPONSEFORMAT="csv"))
            for one in positions()[0][: turns + 10]
        ]
    return 1e3 * statistics.median(times[10:])


def curves(address: str, n_curve: int) -> float:
    """Light curves a second, asked for by all clients together."""
    with ThreadPoolExecutor(N_CLIENT) as pool:
        shares = np.array_split(positions()[0][:n_curve], N_CLIENT)
        passed = seconds(lambda: list(pool.map(lambda share: _curves(address, share), shares)))
    return n_curve / passed


def _curves(address: str, objects: Sequence[int]) -> None:
    """Ask for light curves one after another."""
    with requests.Session() as client:
        for one in objects:
            lines = _asked(client, address, _CURVE.format(one), RESPONSEFORMAT="csv").count(b"\n")
            assert lines == 1 + CURVE_DAYS * N_EPOCH, lines


def match(address: str, condition: str, turns: int) -> float:
    """Median time in which places of an uploaded list are matched with the catalog, in s."""
    _, ra, dec = positions()
    mine = Table({"number": np.arange(N_UPLOAD), "ra": ra[:N_UPLOAD], "dec": dec[:N_UPLOAD]})
    file = io.BytesIO()
    votable.from_table(mine).to_xml(file, tabledata_format="binary2")
    form = {"LANG": "ADQL", "QUERY": _MATCH.format(condition), "UPLOAD": "mine,param:mine"}
    form |= {"RESPONSEFORMAT": "csv"}

    def ask() -> None:
        answer = client.post(f"{address}/sync", data=form, files={"mine": ("mine.xml", file.getvalue())})
        assert answer.content.count(b"\n") > N_UPLOAD, answer.text[:300]

    with requests.Session() as client:
        return statistics.median(seconds(ask) for _ in range(turns))


def job(address: str, turns: int) -> float:
    """Median time of the whole life of a small job, as pyvo leads it, in s."""
    service = pyvo.dal.TAPService(address)

    def lead() -> None:
        found = service.run_async("SELECT TOP 1 object_id FROM roman.object")
        assert len(found) == 1

    lead()  # pyvo asks for capabilities once
    return statistics.median(seconds(lead) for _ in range(turns))


def stream(address: str, n_row: int, format_: str) -> float:
    """Rows a second of a long result, which is not kept."""
    form = {"LANG": "ADQL", "QUERY": f"SELECT TOP {n_row} {ROWS}", "MAXREC": str(n_row)}
    form |= {"RESPONSEFORMAT": format_}
    return n_row / seconds(lambda: received(address, form))


def received(address: str, form: dict[str, str], path: str = "sync") -> int:
    """Bytes of an answer, which is not kept."""
    headers = {"Accept-Encoding": "identity"}
    with requests.post(f"{address}/{path}", data=form, headers=headers, stream=True, timeout=600) as answer:
        answer.raise_for_status()
        return sum(map(len, answer.iter_content(2**20)))


def _asked(client: requests.Session, address: str, query: str, **more: str) -> bytes:
    answer = client.post(f"{address}/sync", data={"LANG": "ADQL", "QUERY": query} | more)
    answer.raise_for_status()
    return answer.content
