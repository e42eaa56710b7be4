"""Objects and points from the database are those that were stored."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from roman_db.query.error import QueryError
from roman_db.query.light_curve import Cone, find_object, find_objects, read_light_curve

from ...queries.filling import (
    DAYS,
    DEC,
    EPOCHS_A_DAY,
    FLAGGED,
    LATER_DAY,
    N_OBJECT,
    RA,
    UNMEASURED,
    epochs_of,
    photometry_of,
)


def stored(survey, element: str):
    """Epochs and photometry of all days as they were stored."""
    kinds = list(EPOCHS_A_DAY)
    days = (*DAYS, LATER_DAY)
    epochs = [epochs_of(day, element) for day in days]
    seeds = [1 + len(kinds) * i + kinds.index(element) for i in range(len(days))]
    segments = [
        photometry_of(survey, e, element, seed).segments for e, seed in zip(epochs, seeds, strict=True)
    ]
    return epochs, segments


@pytest.mark.parametrize("which", [0, FLAGGED, UNMEASURED])
def test_points_are_those_that_were_stored(survey, which):
    light_curve = read_light_curve(find_object(int(survey.object_id[which])))
    assert [series.optical_element for series in light_curve.series] == ["F087", "F146"]
    for series in light_curve.series:
        epochs, segments = stored(survey, series.optical_element)
        for name, values in (
            ("exposure_id", [e.exposure_id for e in epochs]),
            ("bjd_tdb", [e.bjd_tdb for e in epochs]),
            ("flux", [s.flux[which] for s in segments]),
            ("flux_err", [s.flux_err[which] for s in segments]),
            ("flags", [s.flags[which] for s in segments]),
        ):
            np.testing.assert_array_equal(getattr(series, name), np.concatenate(values), err_msg=name)
    expected = {0: 0, FLAGGED: 16, UNMEASURED: 8}[which]
    assert sum((~series.is_good).sum() for series in light_curve.series) == expected


def test_objects_come_in_the_order_of_their_distance(survey):
    found = find_objects(Cone(RA, DEC, 12.0))
    distance = SkyCoord(survey.ra, survey.dec, unit="deg").separation(SkyCoord(RA, DEC, unit="deg")).arcsec
    expected = np.argsort(distance)[: (distance < 12).sum()]
    assert [one.object_id for one in found] == survey.object_id[expected].tolist()
    np.testing.assert_allclose([one.distance for one in found], distance[expected], rtol=1e-6)
    np.testing.assert_allclose([one.flux["F146"] for one in found], survey.flux["F146"][expected], rtol=1e-6)


def test_an_object_is_found_by_its_identifier(survey):
    found = find_object(int(survey.object_id[N_OBJECT - 1]))
    assert (found.ra, found.dec, found.ref_epoch) == (survey.ra[-1], survey.dec[-1], 2027.0)
    assert np.isnan(found.distance)


@pytest.mark.parametrize(
    "cone",
    [
        (-1, 0, 1),
        (360, 0, 1),
        (0, 91, 1),
        (0, 0, 0),
        (0, 0, 4000),
        (np.nan, 0, 1),
        (0, np.nan, 1),
        (0, 0, np.nan),
    ],
)
def test_a_cone_is_on_the_sphere(cone):
    with pytest.raises(QueryError, match="a cone needs"):
        Cone(*cone)
