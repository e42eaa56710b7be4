"""Reference files make a round trip, are valid under RAD, and photutils reads the PSF the same way."""

from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.time import Time
from roman_datamodels import datamodels

from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.reference_file import (
    ReferenceDescription,
    from_gridded_model,
    read_reference_file,
    to_gridded_model,
    write_reference_file,
)
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.rejection import Rejected

SETTINGS = OpticsSettings(half_width=6, n_wavelength=1)
ABOUT = ReferenceDescription(
    "WFI07", "F146", Time("2027-03-01T00:00:00"), "the tests", "Optics of WFI07", "MODEL"
)


@pytest.fixture(scope="module")
def psf() -> EffectivePsf:
    return optical_psf("WFI07", "F146", (100.0, 4000.0), (100.0, 2000.0, 4000.0), SETTINGS)


def test_a_psf_makes_the_round_trip_to_single_precision(psf, tmp_path: Path):
    path = tmp_path / "roman_epsf.asdf"
    wings = optical_psf("WFI07", "F146", settings=OpticsSettings(half_width=30, n_wavelength=1))
    write_reference_file(path, psf, ABOUT, wings)
    back = read_reference_file(path)
    assert back.oversampling == psf.oversampling
    assert (back.x_node == psf.x_node).all()
    assert (back.y_node == psf.y_node).all()
    assert (back.stamps == psf.stamps.astype(np.float32)).all()


def test_the_file_is_valid_under_rad(psf, tmp_path: Path):
    path = tmp_path / "roman_epsf.asdf"
    write_reference_file(path, psf, ABOUT)
    with datamodels.open(path) as model:
        assert isinstance(model, datamodels.EpsfRefModel)
        model.validate()
        assert model.psf.shape == (1, 1, 6, 49, 49)
        assert model.meta.instrument.detector == "WFI07"
        assert list(model.meta.pixel_x)[:3] == [100.0, 4000.0, 100.0]
        assert list(model.meta.pixel_y)[:3] == [100.0, 100.0, 2000.0]


def test_photutils_sees_the_same_star(psf):
    gridded = to_gridded_model(psf)
    x, y = 2050.3, 1999.6
    column, row = np.meshgrid(np.arange(2046.0, 2056.0), np.arange(1995.0, 2005.0))
    theirs = gridded.evaluate(column, row, 100.0, x, y)
    image = np.zeros((4088, 4088))
    draw(image, SplinePsf.of(psf), Stars(*np.array([[x], [y], [100.0]]), np.array([6])))
    ours = image[1995:2005, 2046:2056]
    # photutils clamps its splines at the edge, and blends at the exact position.
    assert theirs[1:-1, 1:-1] == pytest.approx(ours[1:-1, 1:-1], abs=0.02)


def test_photutils_models_come_back(psf):
    back = from_gridded_model(to_gridded_model(psf))
    assert (back.stamps == psf.stamps).all()
    assert back.oversampling == psf.oversampling
    assert (back.y_node == psf.y_node).all()


def test_other_files_are_rejected(tmp_path: Path):
    text = tmp_path / "notes.asdf"
    text.write_text("not a reference file")
    with pytest.raises(Rejected, match="not a readable"):
        read_reference_file(text)
    other = tmp_path / "other.asdf"
    asdf.AsdfFile({"roman": {"meta": {"reftype": "DARK"}}}).write_to(other)
    with pytest.raises(Rejected, match="DARK"):
        read_reference_file(other)
    with pytest.raises(Rejected):
        read_reference_file(tmp_path / "missing.asdf")


def test_scattered_positions_are_rejected(psf, tmp_path: Path):
    path = tmp_path / "scattered.asdf"
    write_reference_file(path, psf, ABOUT)
    with asdf.open(path, lazy_load=False, memmap=False) as opened:
        tree = dict(opened.tree["roman"])
        meta = dict(tree["meta"]) | {"pixel_x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
        asdf.AsdfFile({"roman": tree | {"meta": meta}}).write_to(tmp_path / "bad.asdf")
    with pytest.raises(Rejected, match="grid"):
        read_reference_file(tmp_path / "bad.asdf")
