"""The PSF of an image that takes several windows, held against the PSF that drew it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loaders.psf import detector
from loaders.psf.build import BuildSettings
from loaders.psf.detector import build_detector_psf, window_centres
from loaders.psf.load import SETTINGS
from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import cropped
from loaders.psf.optics import optical_psf
from tests.loaders.psf.scenes import MONOCHROMATIC, crowded_field, distorted, l2_error, single_node

SIZE = 420


@pytest.fixture
def small_windows(monkeypatch):
    """Windows that a small image is larger than twice of."""
    monkeypatch.setattr(detector, "WINDOW", 160)
    monkeypatch.setattr(detector, "SPACING", 260)


def varying(psf: EffectivePsf) -> EffectivePsf:
    """Sharper on the left, broader on the right, less so towards the top."""
    stretches = (0.96, 1.04), (1.0, 1.02)
    stamps = [[distorted(psf, stretch, 0.0).stamps[0, 0] for stretch in row] for row in stretches]
    ends = np.array([0.0, SIZE - 1.0])
    return EffectivePsf(np.array(stamps), psf.oversampling, ends, ends)


@pytest.mark.heavy
def test_windows_follow_a_psf_that_varies_over_the_detector(small_windows):
    wide = single_node(optical_psf("WFI07", "F146", settings=replace(MONOCHROMATIC, half_width=20)))
    start, truth = cropped(wide, 10), varying(wide)
    scene, _ = crowded_field(truth, seed=8, size=SIZE, density=0.06)
    steps = []
    found = build_detector_psf(
        [scene],
        start,
        wide,
        BuildSettings(position_sigma=0.0),
        progress=lambda done, total: steps.append((done, total)),
    )
    nodes = window_centres(SIZE)
    assert nodes.tolist() == [80.0, 340.0]
    assert found.psf.x_node.tolist() == found.psf.y_node.tolist() == nodes.tolist()
    core = cropped(truth, 10)
    for x in nodes:
        for y in nodes:
            wrong = l2_error(start.at(x, y), core.at(x, y))
            assert l2_error(found.psf.at(x, y), core.at(x, y)) < max(0.3 * wrong, 0.01)
    assert steps == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert found.n_star > 400


@pytest.mark.heavy
def test_psfs_of_the_library_are_on_the_flux_scale_of_the_catalog():
    wide = single_node(optical_psf("WFI07", "F146", settings=replace(MONOCHROMATIC, half_width=20)))
    scene, _ = crowded_field(wide, seed=9, size=160, density=0.06)
    brighter = replace(scene, flux=scene.flux * 1.2)
    plain, scaled = (
        build_detector_psf([field], cropped(wide, 10), wide, SETTINGS).psf for field in (scene, brighter)
    )
    assert scaled.stamps.sum() / plain.stamps.sum() == pytest.approx(1 / 1.2, rel=0.005)


def test_a_detector_has_nine_windows_and_a_small_image_one():
    assert window_centres(4088).size == 3
    assert window_centres(4088)[[0, -1]].tolist() == [320.0, 3768.0]
    assert window_centres(600).tolist() == [300.0]
