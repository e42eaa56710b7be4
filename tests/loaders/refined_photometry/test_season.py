"""From the photometry of every day over the search for events to refined light curves, and round again."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.microlensing.tasks import EVENTS
from loaders.refined_photometry.tasks import REFINE
from loaders.season.tasks import SEASON, arguments
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db.jobs import Mode, run_mode
from tests.faults.command_line import succeed
from tests.loaders.refined_photometry.stored import object_of, truth
from tests.loaders.refined_photometry.test_load import ROWS, ask, curve, refine

SEARCH = Mode("season", "What leads to events", (LOCUS, VARIABILITY, EVENTS, REFINE))
MODELS = """
SELECT m.superseded_at IS NULL AS is_current, m.load_run_id
FROM roman.event_model m JOIN roman.event e USING (event_id)
WHERE e.object_id = :star ORDER BY m.event_model_id
"""


def test_events_are_refined_after_they_are_found():
    names = [task.name for task in SEASON.tasks]
    assert names.index("shared_events") < names.index("refined_photometry") < names.index("lens_physics")


def run():
    report = run_mode(SEARCH, arguments("gbtds", 1, "psf"), lambda *_: None)
    assert not report.failed, report.failed
    return report


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_refined_light_curves_scatter_less_and_are_searched_next(loaded, blended):
    succeed("run", "daily")
    first = run()
    star = object_of(blended.source)
    (row,) = ask(f"SELECT * FROM ({ROWS}) AS r WHERE object_id = :star", star=star)
    assert row.status == "fitted"
    daily, refined = curve(star, "psf"), curve(star, "refined")
    true = truth(blended, refined[0])
    ratio = [np.median(one / true) for one in (daily[1], refined[1])]
    # Windows of 64 pixels know their PSF to a few per cent: scales are taken off.
    old, new = (np.std(one[1] / scale - true) for one, scale in zip((daily, refined), ratio, strict=True))
    assert new < old
    models = ask(MODELS, star=star)
    second = run()
    after = ask(MODELS, star=star)
    assert {one.load_run_id for one in models} == {first.load_run_id}
    assert [one for one in after if one.is_current and one.load_run_id != second.load_run_id] == []
    assert len(after) > len(models)
    assert [name for name in run().succeeded if "refined_photometry" in name] == []
    before = curve(star, "refined")
    succeed("run", "compact", "--before", 70000)
    assert np.array_equal(curve(star, "refined"), before)
    assert refine().succeeded == []
    # The merged block gives way to those of days.
    assert len(refine(redo=True).succeeded) == 1
    assert np.array_equal(curve(star, "refined")[0], before[0])
    succeed("audit")
