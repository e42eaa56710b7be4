"""The pass over all light curves of a survey: what summaries say of each, and the variability catalog.

10,000 objects in 3,000 exposures are 30 million points, in blocks of eight days as they are once compacted.
The peer is the plain layout in the same cluster, one row a point, with an index on object and time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bench.light_curve_blocks import (
    FIRST_DAY,
    N_OBJECT,
    POINTS,
    positions,
    prepare,
    write_day,
    write_plain_table,
)
from bench.record import Figure
from bench.server import bench_server, copy_out, seconds, shortest_seconds
from loaders.compaction.load import Window, compact_window, prepare_windows
from loaders.light_curve.load import BlockContext
from loaders.season.tasks import arguments
from loaders.stored_curve.load import read_curves
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.retired_partitions import drop_retired

FloatArray = npt.NDArray[np.float64]

_AREA = "season"
_DAYS = range(FIRST_DAY, FIRST_DAY + 25)
_WINDOWS = [Window(first, first + 8, sealed=False) for first in _DAYS[:24:8]]
_SAMPLE = 500
_PLAIN = "row per point"

#: Number, weighted mean, standard deviation, reduced chi-square and excess variance of every object.
_FROM_SUMMARIES = """
    WITH piece AS (
        SELECT *, sum(sum_weight * mean_flux) OVER same / sum(sum_weight) OVER same AS mean,
               sum(n_point * unweighted_mean) OVER same / sum(n_point) OVER same AS plain_mean
        FROM roman.light_curve_summary WHERE n_point > 0 WINDOW same AS (PARTITION BY object_id)),
    merged AS (
        SELECT object_id, sum(n_point)::float8 AS n, min(mean) AS mean, sum(sum_weight) AS weight,
               sum(weighted_m2 + sum_weight * (mean_flux - mean) ^ 2) AS chi2,
               sum(unweighted_m2 + n_point * (unweighted_mean - plain_mean) ^ 2) AS m2
        FROM piece GROUP BY object_id)
    SELECT object_id, n, mean, sqrt(m2 / (n - 1)), chi2 / (n - 1), (m2 / (n - 1) - n / weight) / mean ^ 2
    FROM merged WHERE n > 1 ORDER BY object_id
"""
_FROM_POINTS = """
    WITH point AS (
        SELECT object_id, flux::float8 AS flux, 1 / flux_err::float8 ^ 2 AS weight FROM public.point
        WHERE flags & 1 = 0),
    merged AS (
        SELECT object_id, count(*)::float8 AS n, sum(weight * flux) / sum(weight) AS mean,
               sum(weight) AS weight, var_samp(flux) AS variance,
               sum(weight * flux ^ 2) - sum(weight * flux) ^ 2 / sum(weight) AS chi2
        FROM point GROUP BY object_id)
    SELECT object_id, n, mean, sqrt(variance), chi2 / (n - 1), (variance - n / weight) / mean ^ 2
    FROM merged WHERE n > 1
"""


def figures() -> Iterator[Figure]:
    """Measure the pass; some minutes and 5 GB of disk."""
    with bench_server() as server:
        server.use("survey_pass")
        context = prepare()
        for day in _DAYS:
            write_day(day, context)
        _compact(context)
        write_plain_table(_DAYS)
        million = POINTS * len(_DAYS) / 1e6
        name = f"pass over {million:.0f} million points"
        ours, plain = (
            shortest_seconds(copy_out(query), turns=turns)[0]
            for query, turns in ((_FROM_SUMMARIES, 5), (_FROM_POINTS, 1))
        )
        title = f"{name}: number, mean, scatter, chi-square and excess variance of each object"
        yield Figure(_AREA, title, ours, "s", 0.5, "min", _PLAIN, plain)
        title = f"{name}: largest relative distance of these from those of the points, {_SAMPLE} objects"
        yield Figure(_AREA, title, _worst(context.excluding_flags), "", 1e-10, "min")
        for task in (LOCUS, VARIABILITY):
            taken = seconds(lambda task=task: _run(Mode("survey", "Measure", (task,))))
            yield Figure(_AREA, f"{name}: task {task.name}, {N_OBJECT:,} objects", taken, "s", None, "min")
        _check_described()


def _compact(context: BlockContext) -> None:
    """Make blocks of eight days, as the weekly job does."""
    prepare_windows(_WINDOWS, 10)
    for window in _WINDOWS:
        with session.transaction() as connection:
            compact_window(connection, window, context, lambda *_: None)
    drop_retired(10)
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(
            sa.text("ANALYZE roman.light_curve_segment, roman.light_curve_summary, roman.object")
        )


def _run(mode: Mode) -> None:
    """Run a task of the survey, all of whose units must succeed."""
    report = run_mode(mode, arguments("gbtds", 0, "psf"), lambda *_: None)
    if report.failed:
        raise RuntimeError(f"{mode.name}: {report.failed}")


def _check_described() -> None:
    """Every object must have its row: a pass that describes none takes no time."""
    with session.reading() as connection:
        rows = connection.execute(sa.text("SELECT count(*) FROM roman.variability")).scalar_one()
    if rows != N_OBJECT:
        raise RuntimeError(f"the variability catalog has {rows:,} rows, expected {N_OBJECT:,}")


def _worst(excluding_flags: int) -> float:
    """Largest relative distance of the statistics by summaries from those of the points of some objects."""
    chosen = positions()[0][:: N_OBJECT // _SAMPLE]
    with session.reading() as connection:
        rows = connection.execute(sa.text(_FROM_SUMMARIES)).all()
    ours = {row[0]: np.array(row[1:], dtype=np.float64) for row in rows}
    worst = 0.0
    for curve in read_curves(chosen.tolist(), "psf", _DAYS.start, _DAYS.stop):
        good = curve.counting(excluding_flags)
        truth = _of_points(curve.flux[good], curve.error[good])
        # The excess is a difference of variances, and may be zero.
        size = np.append(truth[:-1], (truth[2] / truth[1]) ** 2)
        worst = max(worst, float(np.max(np.abs(ours[curve.object_id] - truth) / size)))
    return worst


def _of_points(flux: FloatArray, error: FloatArray) -> FloatArray:
    """The statistics of `_FROM_SUMMARIES` from points, in two passes."""
    weight = error**-2
    mean = np.average(flux, weights=weight)
    variance = np.var(flux, ddof=1)
    chi2 = np.sum(weight * (flux - mean) ** 2)
    excess = (variance - flux.size / weight.sum()) / mean**2
    return np.array([flux.size, mean, np.sqrt(variance), chi2 / (flux.size - 1), excess])
