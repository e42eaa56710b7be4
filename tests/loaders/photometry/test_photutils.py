"""The joint fit against photutils, which fits one star at a time."""

import numpy as np
from astropy.table import QTable
from photutils.psf import ImagePSF, PSFPhotometry

from loaders.photometry.fit import photometer
from loaders.photometry.options import FitOptions
from tests.loaders.photometry.scenes import SKY, Scene, gaussian_psf, star_pixels


def test_isolated_stars_have_the_fluxes_and_errors_that_photutils_finds():
    shape = (90, 90)
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid([15, 45, 75], [15, 45, 75]))
    x, y = x + np.linspace(-0.4, 0.4, 9), y + np.linspace(0.3, -0.3, 9)
    flux = np.geomspace(20, 1e4, 9)
    scene = Scene(shape, x, y, flux, SKY + (star_pixels(shape, x, y) @ flux).reshape(shape))
    psf, data = gaussian_psf(), scene.noisy(3)
    sky_free = scene.image(data)
    ours = photometer(sky_free, scene.stars(), psf, FitOptions())

    model = ImagePSF(psf.stamps[0, 0], oversampling=psf.oversampling)
    model.x_0.fixed = model.y_0.fixed = True
    start = QTable({"x": x, "y": y, "flux": flux})
    peer = PSFPhotometry(model, fit_shape=(11, 11), aperture_radius=3.0)
    theirs = peer(data - SKY, error=np.sqrt(scene.variance), init_params=start)

    apart = (ours.flux - np.asarray(theirs["flux_fit"])) / ours.flux_err
    assert np.abs(apart).max() < 0.1
    np.testing.assert_allclose(ours.flux_err, np.asarray(theirs["flux_err"]), rtol=0.03)
