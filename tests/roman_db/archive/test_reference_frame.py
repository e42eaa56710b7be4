"""The reference frame as roman_datamodels reads it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import roman_datamodels
import sqlalchemy as sa
from astropy.time import Time
from roman_datamodels.datamodels import MsosStackModel

from roman_db import session
from roman_db.archive.product import PRODUCTS
from roman_db.schema import rad

from ...queries.filling import DAYS, DEC, DETECTOR, EPOCHS_A_DAY, RA, epochs_of

#: The image of the days from 61461 on, in the second period of the season.
WORDS = ("reference_frame", "--season", 1, "--field", "gbtds-1", "--detector", DETECTOR, "--element", "F146")
NAME = "r00001_p_s01_e03_f01_wfi07_f146_reference_frame.asdf"
_USED = """
INSERT INTO roman.reference_image_exposure (reference_image_id, exposure_id, file_id, is_used, load_run_id)
SELECT r.reference_image_id, e.exposure_id, e.file_id, e.day_mjd = 61461, r.load_run_id
FROM roman.reference_image r, roman.exposure e
WHERE r.start_mjd = 61461 AND e.optical_element = 'F146' AND e.day_mjd IN (61461, 61462)
"""


@pytest.fixture(scope="module")
def image_file(tmp_path_factory):
    """A file of RAD's msos_stack with noise in it."""
    path = tmp_path_factory.mktemp("images") / "image.asdf"
    model = MsosStackModel.create_fake_data()
    model["data"] = np.random.default_rng(3).normal(size=(50, 60))
    for name, kind in (("uncertainty", "f8"), ("mask", "u1"), ("coverage", "u1")):
        model[name] = np.ones((50, 60), kind)
    model.save(path)
    return path


@pytest.fixture
def registered(described, image_file):
    """The survey, one of whose reference images is that file."""
    words = {"path": str(image_file), "sha256": hashlib.sha256(image_file.read_bytes()).hexdigest()}
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text("UPDATE roman.reference_image SET path = :path, sha256 = :sha256"), words)
        connection.exec_driver_sql(_USED)
    return described


def test_roman_datamodels_opens_it_with_all_keywords(registered, run, tmp_path, image_file):
    done = run(*WORDS, "--sequence", 2, "--to", tmp_path)
    assert done.output == f"written to {tmp_path / NAME}\n"
    with roman_datamodels.open(image_file) as source, roman_datamodels.open(tmp_path / NAME) as model:
        assert isinstance(model, MsosStackModel)
        assert np.array(model.data).tobytes() == np.array(source.data).tobytes()
        assert model.meta.filename == NAME
        found = dict(model.meta.msos_reference_frame)
        model.validate()
    assert set(found) == {keyword.name for keyword in rad.keywords(PRODUCTS["reference_frame"].schema)}
    mjd = epochs_of(DAYS[1], "F146").mjd_tdb
    assert abs((Time(found["expstart"]) - Time(mjd.min(), format="mjd")).sec) < 0.001
    assert abs((Time(found["expend"]) - Time(mjd.max(), format="mjd")).sec - 66) < 0.001
    assert (found["exptime"], found["sequence"], found["season"], found["flip"]) == (528.0, "e03", "s01", 90)
    corners = np.array(found["s_region"].removeprefix("POLYGON ICRS ").split(), float).reshape(-1, 2)
    half = 0.055 * 50 / 3600
    assert np.allclose(np.abs(corners[:, 1] - DEC), half, atol=1e-8)
    assert np.allclose(np.abs(corners[:, 0] - RA), half / np.cos(np.radians(DEC)), atol=1e-7)
    assert mjd.size == EPOCHS_A_DAY["F146"]


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (
            "sha256 = 'f'",
            ("--sequence", 2),
            "is not the file that was registered (SHA-256): make it again",
        ),
        ("path = '/nowhere'", ("--sequence", 2), "No such file or directory"),
        ("path = path", (), "there is nothing of season 1, field gbtds-1, detector WFI07, element F146"),
        ("path = path", ("--sequence", 2, "--format", "parquet"), "it is not written as parquet"),
    ],
)
def test_an_image_that_cannot_be_delivered_is_not_written(registered, run, tmp_path, change, words, said):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(f"UPDATE roman.reference_image SET {change}")
    done = run(*WORDS, *words, "--to", tmp_path)
    assert done.exit_code == 1
    assert said in done.output
    assert list(tmp_path.iterdir()) == []
