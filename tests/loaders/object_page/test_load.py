"""Finders, images of the sky and periodograms from the database and the files that it names."""

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.wcs import WCS

from loaders.object_page.load import finder, object_periodogram, sky_image
from roman_db import session
from tests.loaders.reference.test_product import exposure, reference, written
from tests.queries.conftest import filled_template, own_survey
from tests.queries.filling import LENSED

__all__ = ["exposure", "filled_template", "own_survey", "reference", "written"]


@pytest.fixture
def image(own_survey, reference, written) -> int:
    """Number of a reference image whose file is there; the other images have none."""
    frame = reference.frame
    given = {"path": str(written), "ra": frame.ra, "dec": frame.dec, "n_y": frame.shape[0]}
    update = sa.text(
        """
        UPDATE roman.reference_image SET path = :path, ra_ref = :ra, dec_ref = :dec, n_y = :n_y
        WHERE reference_image_id = (SELECT max(reference_image_id) FROM roman.reference_image)
        RETURNING reference_image_id
        """
    )
    with session.transaction(session.Role.OWNER) as connection:
        return connection.execute(update, given).scalar_one()


def test_the_brightest_star_is_in_the_middle_of_its_finder(image, reference):
    frame, data = reference.frame, reference.image.data
    inner = np.full(data.shape, -np.inf)
    inner[20:-20, 20:-20] = data[20:-20, 20:-20]
    y, x = np.unravel_index(np.argmax(inner), inner.shape)
    ra, dec = (float(one[0]) for one in frame.to_sky(np.array([float(x)]), np.array([float(y)])))
    found = finder(ra, dec, 0.5)
    middle = found["levels"].shape[0] // 2
    assert found["scale"] == pytest.approx(1.0 / 400)
    assert found["name"].startswith("WFI07 F146")
    row, column = (np.mean(one) for one in np.nonzero(found["levels"] == found["levels"].max()))
    assert np.hypot(row - middle, column - middle) * found["scale"] < frame.pixel_scale
    assert finder(ra + 5, dec, 0.5) is None


def test_an_image_of_the_sky_is_where_its_keywords_say(image, reference):
    found = sky_image(image)
    wcs = WCS(found["wcs"])
    assert found["levels"].shape == reference.frame.shape
    x, y = np.array([3.0, 40.0]), np.array([7.0, 30.0])
    for ours, theirs in zip(reference.frame.to_sky(x, y), wcs.pixel_to_world_values(x, y), strict=True):
        assert theirs == pytest.approx(ours, abs=1e-9)
    # A picture begins at the top: the last row of the image.
    bright = np.unravel_index(np.argmax(reference.image.data), reference.frame.shape)
    assert found["levels"][::-1][bright] == 255


def test_what_is_not_there_is_none(own_survey):
    assert sky_image(10**9) is None
    assert sky_image(1) is None
    assert finder(10.0, 10.0, 1.0) is None


def test_a_periodogram_is_of_the_light_curves_of_a_kind(own_survey):
    star = int(own_survey.object_id[LENSED])
    found = object_periodogram(star, "psf")
    assert found["n_point"] == 108
    assert found["power"].max() == 1.0
    assert found["frequency"].shape == found["power"].shape
    assert object_periodogram(star, "dia") is None
