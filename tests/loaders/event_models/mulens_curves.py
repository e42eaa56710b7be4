"""Light curves that MulensModel makes, with noise."""

import numpy as np

from loaders.event_models.limb import LIMB_DARKENING
from loaders.stored_curve.band import Band
from tests.loaders.lens.peer import mulens_model

BEGIN = 2_461_450.0
"""BJD (TDB)."""

BANDS = (("F146", 12.1 / 1440, 4000.0, 1000.0), ("F087", 0.25, 1000.0, 300.0))
"""Element, days between points, fluxes of source and blend."""

PLACE = (268.0, -29.0)


def model(parameters, limb=LIMB_DARKENING):
    """A model of MulensModel with limb darkening by element, that of this project unless said."""
    made = mulens_model().Model(parameters)
    if "rho" in parameters:
        method = "VBM" if "s" in parameters else "finite_source_LD_Yoo04"
        made.set_magnification_methods([BEGIN - 1000, method, BEGIN + 1000])
        for name, one in limb.items():
            made.set_limb_coeff_u(name, one)
    return made


def magnification(parameters, name, time, limb=LIMB_DARKENING):
    """Magnification of the sources, shape (n_source, n)."""
    bandpass = name if "rho" in parameters else None
    more = {"separate": True} if "t_0_2" in parameters else {}
    return np.atleast_2d(model(parameters, limb).get_magnification(time, bandpass=bandpass, **more))


def bands_of(parameters, error=80.0, seed=1, days=40.0, second=0.4):
    """Two elements with noise; of two sources the second has that share of the flux of the first."""
    rng, bands = np.random.default_rng(seed), []
    for name, step, source, blend in BANDS:
        time = BEGIN + np.arange(0.0, days, step)
        curves = magnification(parameters, name, time)
        flux = source * (curves[0] + (second * curves[1] if len(curves) > 1 else 0.0)) + blend
        sigma = error * np.sqrt(flux / 5000.0)
        bands.append(Band(name, time, flux + sigma * rng.normal(size=time.size), sigma))
    return bands


def linear_chi2(bands, curves):
    """Chi-square with the best source and blend fluxes, by plain least squares."""
    total = 0.0
    for band, some in zip(bands, curves, strict=True):
        design = np.column_stack([*some, np.ones(len(band))]) / band.error[:, None]
        left = band.flux / band.error - design @ np.linalg.lstsq(design, band.flux / band.error)[0]
        total += float(left @ left)
    return total
