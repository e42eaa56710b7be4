from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.catalog.check import RULES, check_rows
from loaders.catalog.sources import Sources


@pytest.mark.parametrize(
    ("columns", "code", "column"),
    [
        ({"ra": [np.nan]}, "nan_position", "ra"),
        ({"dec": [np.inf]}, "nan_position", "dec"),
        ({"ra": [-0.1]}, "position_out_of_range", "ra"),
        ({"ra": [360.1]}, "position_out_of_range", "ra"),
        ({"dec": [-90.1]}, "position_out_of_range", "dec"),
        ({"ref_epoch": [np.nan]}, "bad_epoch", "ref_epoch"),
        ({"ref_epoch": [57388.5]}, "bad_epoch", "ref_epoch"),
        ({"ra_err": [-1.0]}, "negative_error", "ra_err"),
        ({"parallax_err": [np.inf]}, "negative_error", "parallax_err"),
        ({"pm_ra": [20_000.0]}, "absurd_motion", "pm_ra"),
        ({"pm_dec": [-20_000.0]}, "absurd_motion", "pm_dec"),
        ({"parallax": [2000.0]}, "absurd_parallax", "parallax"),
        ({"flux": {"F146": np.array([np.inf])}}, "infinite_flux", "flux.F146"),
        (
            {"flux": {"F146": np.array([1.0])}, "flux_err": {"F146": np.array([-1.0])}},
            "negative_error",
            "flux_err.F146",
        ),
    ],
)
def test_bad_rows(make_sources, columns, code, column):
    given_ = {"ra": [10.0], "dec": [20.0], **columns}
    good, refused = check_rows(make_sources(given_.pop("ra"), given_.pop("dec"), **given_))
    assert len(good) == 0
    assert (refused.code, refused.column) == ((code,), (column,))
    assert column in refused.reason[0]
    assert refused.remedy[0]


def test_good_rows(make_sources):
    sources = make_sources(
        [0.0, 360.0, 180.0, 10.0],
        [-90.0, 90.0, 0.0, 0.0],
        pm_ra=[10_393.0, np.nan, 0.0, 0.0],
        parallax=[-3.0, 768.0, np.nan, 0.0],
        ra_err=[0.0, np.nan, 1.0, 1.0],
        flux={"F146": np.array([-5.0, np.nan, 0.0, 1e9])},
    )
    good, refused = check_rows(sources)
    assert len(refused) == 0
    assert good.ra.tolist() == [0.0, 0.0, 180.0, 10.0]


def test_one_reason_a_row(make_sources):
    sources = make_sources([np.nan, 1.0], [np.nan, 95.0], ra_err=[-1.0, 1.0], row=np.array([70, 71]))
    _, refused = check_rows(sources)
    assert refused.row.tolist() == [70, 71]
    assert refused.code == ("nan_position", "position_out_of_range")
    assert refused.value[1] == 95.0
    assert refused.reason[1] == "dec 95 is outside of 0 to 360 (ra) or -90 to 90 (dec)"


numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=0, max_size=40))
def test_loaded_and_rejected_are_all(rows):
    ra, dec, error, flux = np.array(rows, dtype=float).reshape(-1, 4).T
    n = len(rows)
    unknown = np.full(n, np.nan)
    sources = Sources(
        np.arange(n), np.full(n, None), ra, dec, np.full(n, 2016.0), error,
        *[unknown] * 7, flux={"F146": flux}, flux_err={"F146": error},
    )  # fmt: skip
    good, refused = check_rows(sources)
    assert sorted([*good.row, *refused.row]) == list(range(n))
    assert ((good.ra >= 0) & (good.ra < 360) & (np.abs(good.dec) <= 90)).all()
    assert not (good.ra_err < 0).any()
    for k, row in enumerate(refused.row):
        column = {"ra": ra, "dec": dec, "ra_err": error, "flux_err.F146": error, "flux.F146": flux}
        assert np.array_equal(column[refused.column[k]][row], refused.value[k], equal_nan=True)
    assert {rule.code for rule in RULES} >= set(refused.code)
