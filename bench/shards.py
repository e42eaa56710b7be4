"""Light curves on two shards beside the same on one server: three servers on this machine, 10,000 objects.

Objects have 600 points, half of them on each shard. All is read from memory, and the shortest time counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from bench.light_curve_blocks import DEC, FIRST_DAY, POINTS, RA, positions, prepare, write_day
from bench.record import Figure
from bench.server import BenchServer, bench_server, copy_out, seconds, shortest_seconds
from roman_db.shards.moving import move
from roman_db.shards.ranges import END, Range
from roman_db.shards.server import add

_AREA = "shards"
_DAYS = range(FIRST_DAY, FIRST_DAY + 5)
_PEER = "the same on one server"
_CURVE = "SELECT object_id, exposure_id, midpoint_mjd_tdb, flux, flux_err, flags FROM roman.light_curve"
_IN_CONE = f"SELECT object_id FROM roman.object WHERE q3c_radial_query(ra, dec, {RA}, {DEC}, 0.0223)"
_READS = (
    ("600-point light curve as rows", "ms", f"{_CURVE} WHERE object_id = {{}}", None),
    (
        "1000-object cone of 600 points each, rows",
        "s",
        f"{_CURVE} WHERE object_id = ANY(ARRAY({_IN_CONE}))",
        2.0,
    ),
    (
        "points and mean of every object from summaries",
        "s",
        "SELECT object_id, sum(n_point), sum(sum_weight * mean_flux) / sum(sum_weight) "
        "FROM roman.light_curve_summary GROUP BY object_id",
        None,
    ),
)


def figures() -> Iterator[Figure]:
    """Measure writing, reading and moving."""
    with ExitStack() as stack:
        here, one, two = (stack.enter_context(bench_server()) for _ in range(3))
        alone, on_one = _fill(here, "single"), _read_all()
        here.use("sharded")
        for name, server, objects in zip(("one", "two"), (one, two), _halves(), strict=True):
            add(name, server.new_database("light_curves"))
            move(Range(*objects, name), lambda *_: None)
        shared, on_two = _fill(here, "sharded"), _read_all()
        yield Figure(_AREA, "load, fluxes and summaries", shared, "M points/s", None, "max", _PEER, alone)
        for (name, unit, _, factor), mine, single in zip(_READS, on_two, on_one, strict=True):
            target = None if factor is None else factor * single
            yield Figure(_AREA, name, mine, unit, target, "min", _PEER, single)
        for name, share, target in (
            ("one shard to another", 0.5, "one"),
            ("shards to this server", 1.0, None),
        ):
            taken = seconds(lambda shard=target: move(Range(0, END, shard), lambda *_: None))
            rate = share * POINTS * len(_DAYS) / 1e6 / taken
            yield Figure(_AREA, f"light curves moved from {name}", rate, "M points/s")


def _halves() -> tuple[tuple[int, int], tuple[int, int]]:
    """Ranges of the two halves of the objects."""
    object_id = positions()[0]
    middle = int(object_id[object_id.size // 2])
    return (0, middle), (middle, END)


def _fill(server: BenchServer, database: str) -> float:
    """Store the days in a database; return the rate of the median day in millions of points a second."""
    server.use(database)
    context = prepare()
    times = [seconds(lambda day=day: write_day(day, context)) for day in _DAYS]
    return POINTS / statistics.median(times) / 1e6


def _read_all() -> list[float]:
    """Shortest time of each of the reads, in its unit."""
    object_id = int(positions()[0][777])
    shortest = shortest_seconds(*(copy_out(query.format(object_id)) for _, _, query, _ in _READS))
    units = {"ms": 1e3, "s": 1.0}
    return [units[unit] * time for time, (_, unit, _, _) in zip(shortest, _READS, strict=True)]
