"""Everything that the documentation tells a reader to run does what it says there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.docs.pages import ROOT, Step, steps
from tests.docs.transcript import agrees
from tests.docs.world import Outcome, World

#: Pages in the order in which they build on one another, each list on a machine of its own. The pages that
#: are not here have tests of their own: queries.md and light_curves.md in tests/queries, tap.md in
#: tests/roman_db/tap, client.md in tests/roman_db/client, hats.md in tests/roman_db/archive/hats, install.md
#: and cluster.md in tests/roman_db/cluster.
_FIELD = ("docs/scientist/simulation.md", "docs/scientist/first_light_curve.md")
_SEASON = (
    "docs/scientist/simulated_light_curves.md",
    "docs/operator/external_light_curves.md",
    "docs/scientist/variability.md",
    "docs/operator/season.md",
    "docs/scientist/events.md",
)
#: What a newcomer reads first.
QUICK = (
    *_FIELD,
    "docs/developer/architecture.md",
    "docs/developer/adding_a_table.md",
    "docs/developer/testing.md",
)
#: The same among pages of spectra and of backups.
FURTHER = (
    *_FIELD,
    "docs/scientist/grism_geometry.md",
    "docs/operator/accounts.md",
    "docs/operator/products.md",
    "docs/scientist/spectra.md",
    "docs/scientist/contributing.md",
    "docs/operator/contributed.md",
    "docs/operator/backup.md",
    "docs/developer/architecture.md",
    "docs/developer/adding_a_table.md",
    "docs/developer/testing.md",
    "docs/operator/spectra.md",
    "docs/operator/spectral_calibration.md",
    "docs/scientist/spectral_calibration.md",
)
#: What follows from events and light curves of a season.
FOLLOWING = (
    *_FIELD,
    *_SEASON,
    "docs/scientist/refined_photometry.md",
    "docs/scientist/astrometry.md",
    "docs/scientist/relative_motion.md",
    "docs/scientist/extinction.md",
    "docs/scientist/lens_physics.md",
)
#: On a machine without data, where a job fails and is to be tried again.
ALONE = ("docs/operator/queue.md", "docs/operator/deliveries.md")
#: Artificial events and sources, catalogs of mosaics, the demonstration and a second photometry of all that
#: there is; they need what the first two pages make.
SLOW = (
    *_FIELD,
    "docs/scientist/variability.md",
    "docs/scientist/event_efficiency.md",
    "docs/scientist/injection.md",
    "docs/scientist/static_catalogs.md",
    "README.md",
    "docs/operator/daily.md",
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "pages",
    [QUICK, ALONE, *(pytest.param(pages, marks=pytest.mark.heavy) for pages in (FURTHER, FOLLOWING, SLOW))],
    ids=["quick", "alone", "further", "following", "slow"],
)
def test_a_reader_can_do_what_the_pages_say(world, pages, monkeypatch):
    """One after the other on one machine, as a newcomer would: what fails is told for all of them."""
    if pages in (QUICK, ALONE):  # a process takes seconds to begin
        monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    problems = []
    for name in pages:
        for step in steps(ROOT / name):
            problems += _problem(step, world.run(step))
        if name.endswith("simulation.md"):
            _make_own_files(world, Path("sky"))
    assert not problems, "\n\n".join(problems)


def _problem(step: Step, outcome: Outcome) -> list[str]:
    """What is wrong with what a step did. A page may show what is said on standard error, or leave it out."""
    printed = outcome.out + outcome.err
    if outcome.code != step.exit_code:
        return [f"{step.place}: {step.text}\nends with {outcome.code}, not {step.exit_code}:\n{printed}"]
    if step.output is not None and not any(agrees(step.output, text) for text in (outcome.out, printed)):
        return [f"{step.place}: {step.text}\nthe page shows\n{step.output}\nbut it printed\n{printed}"]
    return []


def _make_own_files(world: World, simulated: Path) -> None:
    """Lay out the files of the reader who has images and a catalog without units."""
    own = world.directory / "mydata"
    own.mkdir()
    for path in sorted(simulated.glob("*_cal.asdf")):
        shutil.copy(path, own)
    (world.directory / "incoming").symlink_to(own)
    truth = pq.read_table(simulated / "truth.parquet")
    stars = truth.select(["source_id", "ra", "dec", "pmra", "pmdec", "mag_f146"])
    names = ["star", "RA_deg", "Dec_deg", "mu_ra", "mu_dec", "wmag"]
    columns = dict(zip(names, stars.columns, strict=True))
    pq.write_table(pa.table(columns), world.directory / "mystars.parquet")
