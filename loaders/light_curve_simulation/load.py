"""Simulated light curves into files, and their truth into the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from loaders.light_curve_simulation.simulate import Recipe, SimulatedCurve, Survey, prepare, simulate
from loaders.light_curve_simulation.stars import ELEMENTS
from loaders.light_curve_simulation.tables import POINTS, points_table, truth_rows, truth_table
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.load_run import LoadRun, load_run
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table as table_of
from roman_db.settings import settings

#: Names of the files.
POINTS_FILE, TRUTH_FILE = "lightcurves.parquet", "truth.parquet"

#: Epoch of the positions, Julian year.
_EPOCH = 2027.0

_CURVES_A_CHUNK = 16


def simulate_light_curves(
    recipe: Recipe, number: int, name: str, directory: Path, progress: Callable[[int, int], None]
) -> pa.Table:
    """Write light curves and their truth, and store the truth under a name, in place of an earlier one.

    The light curves are written under another name until they are all there.

    Returns
    -------
    pyarrow.Table
        The truth, as `loaders.light_curve_simulation.tables` has it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    arguments = {"name": name, "number": number, "seed": recipe.seed, "directory": str(directory)}
    with load_run("simulate lightcurves", arguments, expected=number) as run:
        unfinished, truths = directory / f"{POINTS_FILE}.new", []
        with pq.ParquetWriter(unfinished, POINTS, compression="zstd") as writer:
            for points, truth in _made(recipe, number):
                writer.write_table(points)
                truths.append(truth)
                progress(sum(len(one) for one in truths), number)
        truth = pa.concat_tables(truths)
        pq.write_table(truth, directory / TRUTH_FILE)
        unfinished.replace(directory / POINTS_FILE)
        _store_truth(run, name, recipe, truth)
    return truth


def _made(recipe: Recipe, number: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Points and truth of all light curves in their order, some at a time, made side by side."""
    chunks = [range(k, min(k + _CURVES_A_CHUNK, number)) for k in range(0, number, _CURVES_A_CHUNK)]
    with side_by_side(min(settings().workers, len(chunks)), __name__, _begin, (prepare(recipe),)) as of_each:
        yield from of_each(_make, chunks)


_survey: Survey | None = None


def _begin(survey: Survey) -> None:
    """Keep in this process what all light curves share."""
    global _survey
    _survey = survey


def _make(numbers: Sequence[int]) -> tuple[pa.Table, pa.Table]:
    """Points and truth of some light curves."""
    assert _survey is not None
    curves: list[SimulatedCurve] = [simulate(_survey, number) for number in numbers]
    seed = _survey.recipe.seed
    return points_table(seed, curves), truth_table(seed, curves)


def _store_truth(run: LoadRun, name: str, recipe: Recipe, truth: pa.Table) -> None:
    """Store a scene and its sources in place of an earlier scene of that name."""
    scenes, sources = table_of("roman.simulated_scene"), table_of("roman.simulated_source")
    with session.transaction() as connection:
        old = sa.select(scenes.c.scene_id).where(scenes.c.name == name).scalar_subquery()
        connection.execute(sources.delete().where(sources.c.scene_id == old))
        connection.execute(scenes.delete().where(scenes.c.name == name))
        row = {"name": name, "parameters": dataclasses.asdict(recipe), "load_run_id": run.load_run_id}
        scene_id = connection.execute(scenes.insert().returning(scenes.c.scene_id), row).scalar_one()
        columns = _source_columns(truth)
        columns["scene_id"] = np.full(len(truth), scene_id)
        columns["load_run_id"] = np.full(len(truth), run.load_run_id)
        copy_rows(connection, "roman.simulated_source", columns)
        run.count(connection, loaded=len(truth))


def _source_columns(truth: pa.Table) -> dict[str, Any]:
    """Columns of ``roman.simulated_source``; what has no place of its own goes to ``model``."""
    rows = truth_rows(truth)
    unknown = np.full(len(rows), np.nan)
    return {
        "source_id": truth["number"].to_numpy(),
        "kind": truth["kind"].to_pylist(),
        "ra": truth["ra"].to_numpy(),
        "dec": truth["dec"].to_numpy(),
        "ref_epoch": np.full(len(rows), _EPOCH),
        "pm_ra": unknown,
        "pm_dec": unknown,
        "parallax": unknown,
        "true_flux": [{e: row[f"flux_{e}"] for e in ELEMENTS} for row in rows],
        "model": [
            {"object": name, "split": split} | {k: v for k, v in row.items() if not k.startswith("flux_")}
            for name, split, row in zip(
                truth["object"].to_pylist(), truth["split"].to_pylist(), rows, strict=True
            )
        ],
    }
