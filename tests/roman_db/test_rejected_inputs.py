"""Rejected inputs, counted once each whatever was said of them."""

import pytest

from roman_db import session
from roman_db.load_run import InputFile, load_run
from roman_db.rejected_inputs import RejectedInputs, rejected_inputs

FILES = ["/data/a_cal.asdf", "/data/b: new/b_cal.asdf"]


def refused(*sources):
    """Number of a run that was given files of exposures, and refused some sources."""
    with load_run("run daily", {}, expected=len(sources)) as run:
        why = {"row_number": None, "code": "no_wcs", "reason": "is empty", "remedy": "Leave it out"}
        with session.transaction() as connection:
            for number, path in enumerate(FILES):
                run.register_file(connection, InputFile("exposure", path, f"{number:064x}", 1))
            run.reject_rows(connection, [why | {"source": source} for source in sources])
    return run.load_run_id


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([], RejectedInputs(0, 0)),
        ([FILES[0], FILES[0], f"{FILES[0]}: meta.wcs", f"{FILES[0]}: data"], RejectedInputs(1, 0)),
        ([f"{FILES[1]}: meta.photometry.pixel_area", FILES[1]], RejectedInputs(1, 0)),
        (["exposure 17", "psf WFI07 F213 61465"], RejectedInputs(1, 1)),
        (["object 4611", "object 46", "object 46", "events object 46"], RejectedInputs(0, 1, 2)),
        (["J268.2-29.4 WFI07 F146 61465"] * 2 + FILES, RejectedInputs(2, 1)),
    ],
)
def test_an_input_counts_once(sources, expected):
    assert rejected_inputs(refused(*sources)) == expected


def test_what_is_said_of_them():
    assert not RejectedInputs()
    assert str(RejectedInputs(1, 0)) == "1 exposure"
    assert str(RejectedInputs(1200, 1)) == "1,200 exposures and 1 image or unit"
    assert str(RejectedInputs(0, 2)) == "2 images or units"
    assert str(RejectedInputs(0, 0, 1)) == "1 object"
    assert str(RejectedInputs(2, 1, 3)) == "2 exposures and 3 objects and 1 image or unit"
