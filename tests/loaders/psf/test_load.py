"""Which exposures of a day its PSF is built from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loaders.astrometry.load import StoredExposure
from loaders.psf.load import EXPOSURES_A_PSF, PIXELS_A_PSF, chosen, metrics_of_psf
from loaders.psf.optics import OpticsSettings, optical_psf


def exposures(count: int, side: int) -> list[StoredExposure]:
    """Exposures of one shape, one after the other."""
    blank = dict.fromkeys((field.name for field in dataclasses.fields(StoredExposure)), 0.0)
    return [
        StoredExposure(
            **blank | {"exposure_id": k, "field_id": 1, "path": Path(f"{k}.asdf"), "n_x": side, "n_y": side}
        )
        for k in range(count)
    ]


@pytest.mark.parametrize(("side", "count"), [(4088, 4), (600, 4), (256, 7), (64, 110)])
def test_small_images_add_up_to_enough_stars(side, count):
    found = chosen(exposures(119, side))
    assert len(found) == count
    assert len(found) >= EXPOSURES_A_PSF
    assert len(found) * side**2 >= PIXELS_A_PSF or len(found) == 119
    assert [found[0].exposure_id, found[-1].exposure_id] == [0, 118]


def test_exposures_of_another_shape_are_left_out():
    day = exposures(5, 600) + exposures(3, 512)
    assert [one.exposure_id for one in chosen(day)] == [0, 1, 3, 4]


def test_a_day_with_few_exposures_gives_all_it_has():
    assert len(chosen(exposures(2, 256))) == 2


def test_metrics_name_the_psf_and_measure_its_shape():
    wings = optical_psf("WFI07", "F146", settings=OpticsSettings(n_wavelength=1, half_width=60))
    sharp = optical_psf("WFI07", "F146", settings=OpticsSettings(n_wavelength=1))
    settings = OpticsSettings(n_wavelength=1, extra_aberrations=(0, 0, 0, 0.05))
    coma = optical_psf("WFI07", "F146", settings=settings)
    found = {metric.metric: metric for metric in metrics_of_psf(7, "F146", sharp, wings)}
    other = {metric.metric: metric.value for metric in metrics_of_psf(7, "F146", coma, wings)}
    assert {metric.psf_model_id for metric in found.values()} == {7}
    assert 1.2 < found["psf_fwhm"].value < 1.4
    assert found["psf_ellipticity"].value == pytest.approx(0.03, abs=0.01)
    assert other["psf_third_moment"] > found["psf_third_moment"].value + 0.05
    assert found["psf_light"].value == pytest.approx(wings.stamps.sum() / wings.oversampling**2, abs=0.003)
