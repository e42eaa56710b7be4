"""What the pages on collections tell a reader to run does what they say, against a small survey."""

from __future__ import annotations

import shlex

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from dask.distributed import Client, LocalCluster, get_task_stream
from pyarrow import parquet

from roman_db import session
from tests.docs.pages import ROOT, Step, steps
from tests.docs.transcript import agrees

from ....queries.filling import DEC, N_OBJECT, RA
from .peer import QUIET

#: Light curves have no margin, and need none to be joined by the identifier.
_NO_MARGIN = pytest.mark.filterwarnings("ignore:Right catalog does not have a margin cache:RuntimeWarning")
pytestmark = [QUIET, _NO_MARGIN, pytest.mark.heavy]
_OPERATOR, _SCIENTIST = (ROOT / "docs" / who / "hats.md" for who in ("operator", "scientist"))
#: Of all points that were measured, whatever their flags.
_MEANS = """
SELECT optical_element, count(*) AS n_point, avg(CAST(flux AS double precision)) AS mean
FROM roman.light_curve WHERE flux <> 'NaN' GROUP BY optical_element ORDER BY optical_element
"""


def _run(step: Step, command) -> None:
    result = command(*shlex.split(step.text)[1:])
    assert result.exit_code == step.exit_code, f"{step.place}: {result.output}"
    assert step.output is None or agrees(step.output, result.output), f"{step.place}: {result.output}"


def test_operators_and_scientists_can_do_what_the_pages_say(command, described, tmp_path):
    for step in steps(_OPERATOR):
        _run(step, command)
    assert {path.name for path in (tmp_path / "hats").iterdir()} == {
        "objects", "light-curves", "variability", "events",
    }  # fmt: skip
    (tmp_path / "sky").mkdir()
    places = {"ra": described.ra, "dec": described.dec + 0.2 / 3600, "star": np.arange(N_OBJECT)}
    parquet.write_table(pa.table(places), tmp_path / "sky/truth.parquet")
    names: dict[str, object] = {}
    for step in steps(_SCIENTIST):
        if step.kind == "program":
            exec(compile(step.text, step.place, "exec"), names)
        else:
            _run(step, command)
    matched = parquet.read_table(tmp_path / "matched.parquet")
    assert matched["star"].to_pylist() == list(range(N_OBJECT))
    same = matched["object_id"].to_numpy() == described.object_id
    np.testing.assert_allclose(matched["separation"].to_numpy()[same], 0.2, atol=1e-6)
    assert same.sum() > 0.9 * N_OBJECT
    found = names["scattered"]("hats/objects", "hats/light-curves", RA, DEC)  # type: ignore[operator]
    assert len(found) == N_OBJECT
    assert len(names["of_all"]("hats/light-curves", 3)) == 2 * N_OBJECT  # type: ignore[operator]
    elements = found["light_curve"].nest.to_flat()["optical_element"]
    assert set(elements) == {"F146"}


def test_workers_of_dask_count_and_average_all_points_as_the_database_does(hats, own_survey, tmp_path):
    assert hats("light-curves", "--limit", 600).exit_code == 0
    names: dict[str, object] = {}
    for step in steps(_SCIENTIST):
        if step.kind == "program":
            exec(compile(step.text, step.place, "exec"), names)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
        get_task_stream(client) as stream,
    ):
        found = names["mean_fluxes"](tmp_path / "light-curves")  # type: ignore[operator]
    with session.reading() as connection:
        stored = connection.execute(sa.text(_MEANS)).all()
    assert len({task["worker"] for task in stream.data}) == 2
    assert found.index.tolist() == [row.optical_element for row in stored]
    assert found["n_point"].tolist() == [row.n_point for row in stored]
    assert found["mean"].tolist() == pytest.approx([row.mean for row in stored], rel=1e-12)


def test_a_catalog_without_places_is_refused(command, described, tmp_path):
    parquet.write_table(pa.table({"star": [1]}), tmp_path / "stars.parquet")
    result = command("crossmatch", "stars.parquet", "out.parquet")
    assert result.exit_code == 1
    assert "there is no column 'ra': star" in result.output
    assert not (tmp_path / "out.parquet").exists()
