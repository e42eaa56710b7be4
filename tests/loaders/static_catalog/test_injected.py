"""Artificial sources: put in, found again, and beside their truth."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.static_catalog.catalog import mosaic_catalog
from loaders.static_catalog.injected import Artificial, inject, recover
from tests.loaders.static_catalog.fields import gaussian_psf, grid_of_places, mosaic

PSF = gaussian_psf()


def artificial(flux, radius, seed=1):
    x, y = grid_of_places(500, 45, np.random.default_rng(seed))
    n = np.ones(x.size)
    return Artificial(x, y, flux * n, radius * n, n, 0.7 * n, 30 * n)


def test_light_and_variance_are_those_of_the_sources():
    sources = artificial(2000.0, 0.2)
    before = mosaic(np.zeros((500, 500)))
    after = inject(before, PSF, sources, 0.1, np.random.default_rng(2))
    total = 2000.0 * sources.x.size
    assert after.data.sum() == pytest.approx(total, rel=0.01)
    assert (after.variance - before.variance).sum() == pytest.approx(0.1 * total, rel=0.01)
    assert not before.data.any()


@pytest.mark.parametrize("radius", [0.0, 0.25])
def test_bright_sources_are_found_with_their_fluxes(radius):
    rng = np.random.default_rng(3)
    sources = artificial(3000.0, radius)
    empty = mosaic(np.zeros((500, 500)), rng)
    catalog = mosaic_catalog(inject(empty, PSF, sources, 0.05, rng), PSF)
    found = recover(sources, catalog, mosaic_catalog(empty, PSF))
    assert (found.label > 0).all()
    name = "kron_flux" if radius else "psf_flux"
    assert np.median(found.output[name] / 3000) == pytest.approx(1 if not radius else 0.95, abs=0.03)
    assert (found.output["is_extended"] == (radius > 0)).all()


def test_faint_sources_are_not_found_and_have_no_output():
    rng = np.random.default_rng(4)
    sources = artificial(3.0, 0.0)
    found = recover(
        sources, mosaic_catalog(inject(mosaic(np.zeros((500, 500)), rng), PSF, sources, 0, rng), PSF)
    )
    assert (found.label > 0).mean() < 0.02
    assert np.isnan(found.output["kron_flux"][found.label == 0]).all()


def test_what_was_there_before_does_not_count():
    rng = np.random.default_rng(5)
    sources = artificial(3000.0, 0.0)
    there = inject(mosaic(np.zeros((500, 500)), rng), PSF, sources, 0.05, rng)
    catalog = mosaic_catalog(there, PSF)
    assert not recover(sources, catalog, catalog).label.any()
