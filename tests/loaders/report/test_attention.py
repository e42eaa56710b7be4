"""What is found to need an eye, and what is not."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from loaders.report.attention import of_image, of_run
from loaders.report_page.attention import sorted_by_level
from roman_db.resources import folder
from tests.loaders.report import made_up


def said(facts) -> str:
    return " ".join(one.what for one in of_image(facts))


def quiet():
    """An image at which there is nothing to look."""
    exposures = made_up.exposures()
    used = replace(exposures, is_used=np.ones(6, dtype=bool), rejected=np.zeros(6))
    return made_up.reference(image=made_up.image(n_refused=0), exposures=used)


def test_an_image_without_faults_needs_none():
    assert said(quiet()) == ""


@pytest.mark.parametrize(("change", "words"), [
    ({"image": made_up.image(n_refused=0, psf_model_id=None)}, "of the optics"),
    ({"image": made_up.image(n_refused=0, psf_fraction_optics=0.5)}, "optics serves 50% of its exposures"),
    ({"image": made_up.image(n_refused=0, psf_fraction_other_day=0.3)}, "another day serves 30%"),
    ({"metrics": [made_up.held("reference_psf_fwhm", 0.3, verdict="warning")]},
     "the width of its PSF is 0.3000 arcsec (limits 0.11 to 0.24)"),
    ({"metrics": [made_up.held("reference_psf_failed", 0.04, None, 0.0, "failure")]},
     "at 4% of the places on it (limit 0)"),
    ({"metrics": [made_up.held("reference_psf_fwhm", None, verdict="warning")]}, "could not be measured"),
    ({"difference": made_up.difference(fraction_beyond=2e-3)}, "0.20% of the pixels"),
    ({"notes": ["its pixels are not shown: gone."]}, "its pixels are not shown"),
    ({"exposures": replace(quiet().exposures, rejected=np.array([0.1, 0, 0, 0, 0, 0]))}, "left out of 1 "),
    ({"image": made_up.image(), "exposures": made_up.exposures()}, "1 of its 6 exposures left out: it does"),
])  # fmt: skip
def test_each_fault_is_said_with_what_to_do(change, words):
    (found,) = of_image(replace(quiet(), **change))
    assert words in found.what
    assert found.what.startswith("F1 WFI07 F146 61473 to 61481: ")
    assert found.do
    assert found.page == "reference_7.html"


def test_an_image_that_was_replaced_is_not_to_be_made_again():
    replaced = replace(quiet(), image=made_up.image(n_refused=0, is_superseded=True), notes=["gone."])
    (found,) = of_image(replaced)
    assert "another image has taken its place" in found.do


def many(**states):
    """Sources of an image, so many of each state."""
    state = np.repeat(list(states), list(states.values())).astype(object)
    one = made_up.sources()
    columns = {name: np.resize(getattr(one, name), state.size) for name in vars(one)}
    return replace(quiet(), sources=type(one)(**columns | {"state": state}))


def test_many_missing_and_unmatched_objects_are_said_and_few_are_not():
    assert said(many(known=1000, new=90, missing=15)) == ""
    assert "25 of 1,025 objects that it should show are missing" in said(many(known=1000, missing=25))
    assert "200 of 1,200 objects match none" in said(many(known=1000, new=200))
    first = many(known=1000, new=200)
    assert said(replace(first, image=made_up.image(n_refused=0, n_before=0))) == ""


def test_of_a_run_units_and_inputs_are_said_once():
    found = sorted_by_level(list(of_run(made_up.run())))
    assert [one.level for one in found] == ["failure", "warning", "warning"]
    assert "catalog F1 WFI07 failed: ValueError: too dark" in found[0].what
    assert found[1].what == "1 input was refused: misfit."
    assert "scatter_18" in found[2].what
    assert "load_run_id = 2" in found[2].do


@pytest.mark.parametrize(("state", "what"), [
    ("interrupted", "The run is interrupted."),
    ("running", "The run is going on, or its process is gone."),
])  # fmt: skip
def test_a_run_that_did_not_end_is_said(state, what):
    (found,) = of_run(made_up.run(state=state, failed=[], rejections=[], metrics=[]))
    assert found.what == what


def test_every_metric_of_the_psf_has_its_words():
    with (folder("schema") / "rows" / "ops.quality_limit.csv").open(newline="") as file:
        limited = {row["metric"] for row in csv.DictReader(file) if row["metric"].startswith("reference_psf")}
    assert len(limited) >= 8
    for metric in limited:
        (found,) = of_image(replace(quiet(), metrics=[made_up.held(metric, 0.5, verdict="warning")]))
        assert "0.5" in found.what or "50" in found.what
        assert "limits 0.11 to 0.24" in found.what


@pytest.mark.parametrize(
    ("message", "is_killed"), [("BrokenProcessPool: it was terminated", True), ("ValueError: dark", False)]
)
def test_of_a_unit_whose_worker_was_killed_memory_is_said(message, is_killed):
    failed = [replace(made_up.run().failed[0], message=message)]
    found = next(iter(of_run(made_up.run(failed=failed, rejections=[], metrics=[]))))
    assert message in found.what
    assert ("memory" in found.do) == is_killed
