"""The PSF of romanisim's scenes, and what can be built from them, on the exposures themselves."""

from dataclasses import replace
from pathlib import Path

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.ndimage import binary_dilation

from bench.romanisim_psf import romanisim_psf
from loaders.psf.build import BuildSettings, build_psf
from loaders.psf.field import StarField
from loaders.psf.fitted_field import Weighing, begin, core_chi2, model
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.render import SplinePsf
from loaders.psf.scene import Wings
from tests.loaders.psf.scenes import l2_error, phase_error, single_node

DATA = Path(__file__).parents[4] / "shared" / "data" / "romanisim_l2"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no romanisim exposures in {DATA}")

#: DN/s of a star of 25 mag: effective area of WFI07 in F146 and two electrons per DN.
UNIT = 5.354
#: Corner of the files in the detector.
CORNER = 1750.0
SIZE = 300


def in_window(psf: EffectivePsf) -> EffectivePsf:
    return replace(psf, x_node=psf.x_node - CORNER, y_node=psf.y_node - CORNER)


@pytest.fixture(scope="module")
def scene() -> StarField:
    """A quarter of the first exposure with its true stars."""
    with asdf.open(min(DATA.glob("*.asdf"))) as opened:
        roman = opened["roman"]
        data, err, dq = (np.array(roman[key][:SIZE, :SIZE]) for key in ("data", "err", "dq"))
    usable = ~binary_dilation((dq != 0) | (err == 0)) & (err > 0)
    truth = pq.read_table(DATA / "truth.parquet").to_pydict()
    x, y, magnitude = (np.array(truth[key]) for key in ("x0_true", "y0_true", "F146_mag"))
    near = (x < SIZE + 35) & (y < SIZE + 35)
    flux = UNIT * 10 ** (-0.4 * (magnitude[near] - 25))
    variance = np.where(usable, err.astype(float) ** 2, 1.0)
    return StarField(data.astype(float), variance, usable, x[near], y[near], flux)


def test_the_scene_is_explained_by_the_true_stars_and_this_psf(scene):
    core, wide = in_window(romanisim_psf("WFI07", "F146")), in_window(romanisim_psf("WFI07", "F146", 2, 100))
    state = begin(scene, core, 100.0, 400)
    first, state = model(scene, state, SplinePsf.of(core), Wings(wide), 1000.0)
    level = state.level + np.array([np.median((scene.data - first.image)[scene.usable]), 0.0])
    drawn, state = model(scene, replace(state, level=level), SplinePsf.of(core), Wings(wide), 1000.0)
    chi2 = core_chi2(scene, state, drawn.image, Weighing(0.0, np.inf))
    assert np.median(chi2) < 1.6
    optics = in_window(optical_psf("WFI07", "F146"))
    other, state = model(scene, state, SplinePsf.of(optics), Wings(wide), 1000.0)
    assert np.median(core_chi2(scene, state, other.image, Weighing(0.0, np.inf))) > 10 * np.median(chi2)


@pytest.mark.heavy
def test_the_psf_is_built_from_the_scene(scene):
    truth, wide = in_window(romanisim_psf("WFI07", "F146")), in_window(romanisim_psf("WFI07", "F146", 2, 100))
    start = in_window(optical_psf("WFI07", "F146", settings=OpticsSettings(n_wavelength=1, photon_slope=0.0)))
    rng = np.random.default_rng(4)
    rough = replace(scene, flux=scene.flux * rng.normal(1, 0.05, scene.flux.size))
    result = build_psf([rough], start, Wings(wide), BuildSettings(gradient_star=10**9))
    expected = single_node(EffectivePsf(truth.at(150, 150)[None, None], 4, np.zeros(1), np.zeros(1)))
    assert l2_error(start.at(150, 150), expected.stamps[0, 0]) > 0.08
    assert l2_error(result.psf.at(150, 150), expected.stamps[0, 0]) < 0.005
    assert phase_error(result.psf, expected) < 0.001
