"""Finders, images of the sky and periodograms from the database and the files that it names."""

from contextlib import contextmanager

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.wcs import WCS

from loaders.object_page import load
from loaders.object_page.load import finder, object_periodogram, sky_image
from loaders.reference.frame import ReferenceFrame
from loaders.rejection import Rejected
from roman_db import session
from tests.queries.conftest import filled_template, own_survey
from tests.queries.filling import DEC, LENSED, RA

__all__ = ["filled_template", "own_survey"]

#: A turned image with one star.
FRAME = ReferenceFrame(RA, DEC, 0.055 * np.array([[-0.8, 0.6], [0.6, 0.8]]), (120, 160), 2)
STAR = (100, 40)


@pytest.fixture
def image(own_survey, monkeypatch) -> int:
    """Number of a reference image whose file can be read; those of the others cannot."""
    y, x = np.mgrid[: FRAME.shape[0], : FRAME.shape[1]]
    data = np.random.default_rng(1).normal(0, 1, FRAME.shape)
    data += 1000 * np.exp(-((x - STAR[0]) ** 2 + (y - STAR[1]) ** 2) / 8)

    @contextmanager
    def opened(path):
        if path.name != "image.asdf":
            raise Rejected(str(path), "it is missing", "Make it again", "bad_reference")
        yield FRAME, data

    monkeypatch.setattr(load, "opened_pixels", opened)
    update = sa.text(
        """
        UPDATE roman.reference_image SET path = '/products/image.asdf'
        WHERE reference_image_id = (SELECT min(reference_image_id) FROM roman.reference_image)
        RETURNING reference_image_id
        """
    )
    with session.transaction(session.Role.OWNER) as connection:
        return connection.execute(update).scalar_one()


def test_a_star_is_in_the_middle_of_its_finder(image):
    ra, dec = (float(one[0]) for one in FRAME.to_sky(*(np.array([float(at)]) for at in STAR)))
    found = finder(ra, dec, 1.0)
    middle = found["levels"].shape[0] // 2
    assert found["scale"] == pytest.approx(2.0 / 400)
    assert found["name"] == "WFI07 F146 from MJD 61461"
    row, column = (np.mean(one) for one in np.nonzero(found["levels"] > 250))
    assert np.hypot(row - middle, column - middle) * found["scale"] < 0.2 * FRAME.pixel_scale
    assert finder(ra + 5, dec, 1.0) is None


def test_an_image_of_the_sky_is_where_its_keywords_say(image):
    found = sky_image(image)
    wcs = WCS(found["wcs"])
    assert found["levels"].shape == FRAME.shape
    x, y = np.array([3.0, 40.0]), np.array([7.0, 30.0])
    for ours, theirs in zip(FRAME.to_sky(x, y), wcs.pixel_to_world_values(x, y), strict=True):
        assert theirs == pytest.approx(ours, abs=1e-9)
    # A picture begins at the top: with the last row of the image.
    assert found["levels"][::-1][STAR[1], STAR[0]] == 255
    assert sky_image(image + 1) is None


def test_what_is_not_there_is_none(own_survey):
    assert sky_image(10**9) is None
    assert finder(10.0, 10.0, 1.0) is None


def test_a_periodogram_is_of_the_light_curves_of_a_kind(own_survey):
    star = int(own_survey.object_id[LENSED])
    found = object_periodogram(star, "psf")
    assert found["n_point"] == 108
    assert found["power"].max() == 1.0
    assert found["frequency"].shape == found["power"].shape
    assert object_periodogram(star, "dia") is None
