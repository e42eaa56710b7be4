"""The main job as a user runs it: three romanisim files and a catalog in, light curves out.

Nothing but what the commands of ``docs/scientist/first_light_curve.md`` do: the PSF is built from the files,
the stars lie where the catalog has them and the WCS puts them. The catalog is the truth on the sky, with the
magnitudes before anything brightens: once exactly, once with errors in positions and fluxes. No zero point is
fitted to the truth. Stars that the catalog loader takes for one count as one, with the sum of their fluxes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from bench.accuracy import (
    ZERO_POINT_LIMIT,
    Compared,
    bin_figures,
    joined,
    lens_figures,
    usual,
    zero_point,
)
from bench.cramer_rao import cramer_rao
from bench.record import Figure
from bench.romanisim_psf import romanisim_psf
from bench.sample import NANOJANSKY_AB, Sample, read_sample, read_truth
from bench.server import bench_server, seconds

AREA = "photometry"
N_EXPOSURE = 3
PSF_HALF_WIDTH = 60
_MAS = 1 / 3_600_000

#: What a reader of the guide writes about a catalog whose columns have no units.
_MAPPING = """\
name: mystars
columns:
  source_id: star
  ra: {column: RA_deg, unit: deg}
  dec: {column: Dec_deg, unit: deg}
fluxes:
  F146: {column: wmag, system: AB}
"""

_POINTS = """\
SELECT a.source_id::bigint AS star, c.flux, c.flux_err, c.flags::integer AS flags,
       dense_rank() OVER (ORDER BY c.midpoint_mjd_tdb) - 1 AS epoch
FROM roman.light_curve c JOIN roman.object_alias a USING (object_id) WHERE a.catalog_name = 'mystars'
"""


@dataclass(frozen=True)
class CatalogErrors:
    """Errors of a catalog: of positions along either axis (mas), and of fluxes (fraction)."""

    label: str
    position_mas: float
    flux: float


CATALOGS = (
    CatalogErrors("exact catalog", 0.0, 0.0),
    CatalogErrors("catalog with errors of 1 mas and 2 % of flux", 1.0, 0.02),
)


@dataclass(frozen=True)
class MainJob:
    """What came out: points with their truth by exposure (nJy), the lens among them, seconds by command."""

    exposures: list[Compared]
    lens: list[Compared]
    factors: list[float]
    seconds: dict[str, float]


def figures(directory: Path) -> Iterator[Figure]:
    """Run the job with each catalog in a database of its own, and compare."""
    psf = romanisim_psf("WFI07", "F146", half_width=PSF_HALF_WIDTH)
    samples = [read_sample(directory, exposure) for exposure in range(N_EXPOSURE)]
    bounds = [cramer_rao(sample, psf) * sample.njy_per_unit for sample in samples]
    with bench_server() as server:
        for number, errors in enumerate(CATALOGS):
            server.use(f"main_job_{number}")
            yield from _job_figures(f"main job, {errors.label}", run(directory, errors, samples, bounds))


def _job_figures(label: str, job: MainJob) -> Iterator[Figure]:
    """Figures of one run."""
    for command, duration in job.seconds.items():
        yield Figure(AREA, f"{label}: {command}, wall time", duration, "s", None, "min")
    points = joined(job.exposures)
    drift = abs(zero_point(points))
    yield Figure(AREA, f"{label}: |zero point|", drift, "mmag", ZERO_POINT_LIMIT, "min")
    yield from bin_figures(AREA, label, usual(points))
    pulls = [float(point.pull[0]) for point in job.lens]
    yield from lens_figures(AREA, label, pulls, job.factors)


def run(
    directory: Path, errors: CatalogErrors, samples: list[Sample], bounds: list[npt.NDArray[np.float64]]
) -> MainJob:
    """Run the four commands in the database that ``roman_db`` uses, which is empty but for its schema."""
    truth = read_truth(directory)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_catalog(folder, truth, errors)
        commands = {
            "load exposure": ["load", "exposure", str(directory)],
            "load catalog": ["load", "catalog", "mystars.parquet", "--mapping", "mapping.yaml"],
            "run daily": ["run", "daily"],
            "query of all points": ["query", _POINTS, "--out", "points.parquet"],
        }
        times = {title: seconds(partial(_roman_db, words, folder)) for title, words in commands.items()}
        points = pq.read_table(folder / "points.parquet")
    column = {name: points[name].to_numpy() for name in points.column_names}
    return _beside_truth(column, truth, samples, bounds, times)


def write_catalog(folder: Path, truth: dict[str, npt.NDArray], errors: CatalogErrors) -> None:
    """Write ``mystars.parquet`` with its errors, and ``mapping.yaml``."""
    rng = np.random.default_rng(7)
    east, north, light = rng.normal(size=(3, truth["ra"].size))
    shrink = np.cos(np.radians(truth["dec"]))
    columns = {
        "star": truth["source_id"],
        "RA_deg": truth["ra"] + errors.position_mas * _MAS * east / shrink,
        "Dec_deg": truth["dec"] + errors.position_mas * _MAS * north,
        "wmag": truth["F146_mag"] - 2.5 * np.log10(1 + errors.flux * light),
    }
    pq.write_table(pa.table(columns), folder / "mystars.parquet")
    (folder / "mapping.yaml").write_text(_MAPPING)


def _roman_db(words: list[str], folder: Path) -> None:
    """Run ``roman-db`` as a process of its own; what it says is told if it fails.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    program = "from roman_db.cli import main; main()"
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"roman-db {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )


def _beside_truth(
    points: dict[str, npt.NDArray],
    truth: dict[str, npt.NDArray],
    samples: list[Sample],
    bounds: list[npt.NDArray[np.float64]],
    times: dict[str, float],
) -> MainJob:
    """Points of each exposure beside the truth of their stars."""
    by_star = np.argsort(truth["source_id"])
    row = by_star[np.searchsorted(truth["source_id"], points["star"], sorter=by_star)]
    host = _hosts(truth, np.unique(row))
    star = int(np.flatnonzero(truth["is_ulens"])[0])
    exposures, lens, factors = [], [], []
    for epoch, (sample, bound) in enumerate(zip(samples, bounds, strict=True)):
        here = points["epoch"] == epoch
        alone = NANOJANSKY_AB * 10 ** (-0.4 * truth["F146_mag"]) * truth[f"amp{epoch}"]
        flux = np.bincount(host, weights=alone, minlength=alone.size)
        mine = row[here]
        measured = (points[name][here] for name in ("flux", "flux_err", "flags"))
        one = Compared(*measured, flux[mine], sample.magnitude[mine], bound[mine])
        exposures.append(one)
        lens.append(one.take(mine == star))
        factors.append(float(truth[f"amp{epoch}"][star]))
    return MainJob(exposures, lens, factors, times)


def _hosts(truth: dict[str, npt.NDArray], known: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Row of the star that the catalog loader took each star for: itself, or the nearest that has a name."""
    place = np.stack([truth["x0_true"], truth["y0_true"]], axis=1)
    host = np.arange(place.shape[0])
    on_image = (np.abs(place - 299.5) < 299).all(axis=1)
    lost = np.flatnonzero(on_image & ~np.isin(host, known))
    if lost.size:
        host[lost] = known[cKDTree(place[known]).query(place[lost])[1]]
    return host
