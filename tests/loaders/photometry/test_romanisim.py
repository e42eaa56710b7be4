"""Photometry of a romanisim file with the PSF that romanisim used, against its truth."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels

from bench.romanisim_psf import romanisim_psf
from loaders.photometry.fit import PixelImage, StarList, photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.options import FitOptions

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "romanisim_l2"
SIDE, MARGIN = 250, 60
ORIGIN = (1750.0, 1750.0)
ZERO_POINT = 26.8218  # AB magnitude of 1 DN/s, from conversion_megajanskys and pixel_area of the files

pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the romanisim sample files are not there")


@pytest.mark.heavy
@pytest.mark.parametrize("exposure", [1, 2])
def test_fluxes_of_a_crowded_corner_scatter_around_the_truth_as_claimed(exposure):
    truth = pq.read_table(SAMPLES / "truth.parquet")
    x, y, magnitude, factor, lens = (
        truth[name].to_numpy()
        for name in (f"x{exposure}_true", f"y{exposure}_true", "F146_mag", f"amp{exposure}", "is_ulens")
    )
    low = 300 - SIDE // 2
    window = np.s_[low : low + SIDE, low : low + SIDE]
    with roman_datamodels.open(sorted(SAMPLES.glob("*.asdf"))[exposure]) as model:
        data, err, var_poisson = (np.array(model[name])[window] for name in ("data", "err", "var_poisson"))
    x, y = x - low, y - low
    near = (np.abs(x - SIDE / 2) < SIDE / 2 + MARGIN) & (np.abs(y - SIDE / 2) < SIDE / 2 + MARGIN)
    catalogued = 10 ** (-0.4 * (magnitude - ZERO_POINT))
    origin = (ORIGIN[0] + low, ORIGIN[1] + low)
    image = PixelImage.from_calibrated(data, err, var_poisson, var_poisson > 0, origin=origin)
    psf = romanisim_psf("WFI07", "F146", half_width=60)
    result = photometer(image, StarList(x[near], y[near], catalogued[near]), psf, FitOptions(threads=2))

    true, kind = (catalogued * factor)[near], magnitude[near]
    pull = (result.flux - true) / result.flux_err
    spoilt = PhotometryFlag.BLENDED | PhotometryFlag.EDGE | PhotometryFlag.MASKED
    usual = np.isfinite(pull) & ((result.flags & spoilt) == 0)
    for bright, faint in ((18, 21), (21, 23), (23, 24.5)):
        chosen = pull[usual & (kind >= bright) & (kind < faint)]
        assert chosen.size > 100
        assert np.std(chosen) == pytest.approx(1.0, abs=0.1)
        assert abs(np.mean(chosen)) < 0.15
    assert abs(pull[lens[near]][0]) < 1.5
