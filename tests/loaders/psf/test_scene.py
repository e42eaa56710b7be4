"""Scenes are held against drawing everything with one wide PSF."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.psf.field import Background
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.psf.scene import Wings, drawing_radii, enclosed, stars_image, wings_image

SHAPE = (90, 110)
NOISE = 0.2


@pytest.fixture(scope="module")
def wide() -> EffectivePsf:
    return optical_psf("WFI07", "F146", settings=OpticsSettings(half_width=40, n_wavelength=1))


@pytest.fixture(scope="module")
def core(wide: EffectivePsf) -> EffectivePsf:
    part = slice(160 - 48, 160 + 49)
    return replace(wide, stamps=wide.stamps[..., part, part])


@pytest.fixture(scope="module")
def stars() -> Stars:
    rng = np.random.default_rng(2)
    flux = 2.0 * rng.uniform(size=300) ** -1.5
    return Stars(rng.uniform(0, 109, 300), rng.uniform(0, 89, 300), flux, np.full(300, 40))


def test_stars_and_wings_together_are_the_wide_psf(wide, core, stars):
    exact = np.zeros(SHAPE)
    draw(exact, SplinePsf.of(wide), stars)
    cut = replace(stars, radius=drawing_radii(core, stars.flux, NOISE))
    assert np.unique(cut.radius).size > 2
    near = stars_image(SplinePsf.of(core), cut, SHAPE)
    far = wings_image(Wings(wide), cut, NOISE, SHAPE)
    assert np.abs(near + far - exact).std() < 0.1 * NOISE
    assert np.abs(near - exact).std() > 0.4 * NOISE
    assert (near + far).sum() == pytest.approx(exact.sum(), rel=2e-3)


def test_radii_grow_with_the_flux(core):
    radii = drawing_radii(core, np.array([0.1, 10.0, 100.0, 1e3, 1e6]), NOISE)
    assert (np.diff(radii) >= 0).all()
    assert radii[0] == 4
    assert radii[-1] == 12


def test_the_whole_stamp_encloses_its_sum(wide):
    assert enclosed(wide, 100.0) == pytest.approx(wide.stamps.sum() / 16)
    inside = enclosed(wide, 12.0)
    phases = [
        wide.stamps[0, 0, 112 + j : 209 : 4, 112 + i : 209 : 4].sum() for j in range(4) for i in range(4)
    ]
    assert np.mean(phases) == pytest.approx(inside, abs=2e-3)


def test_backgrounds_are_bilinear_and_their_projection_is_the_transpose():
    rng = np.random.default_rng(0)
    background = Background.over(rng.normal(size=SHAPE), 40.0)
    level, image = rng.normal(size=background.size), rng.normal(size=SHAPE)
    assert (background.image(level) * image).sum() == pytest.approx(level @ background.project(image))
    lengths = [np.sqrt((background.image(unit) ** 2).sum()) for unit in np.eye(background.size)]
    assert background.lengths(np.ones(SHAPE)) == pytest.approx(lengths)
    flat = background.flat(3.0)
    assert background.image(flat) - background.wings == pytest.approx(np.full(SHAPE, 3.0))
    plane = Background.over(np.zeros(SHAPE), 1000.0)
    assert plane.size == 2
