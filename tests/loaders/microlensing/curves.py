"""Light curves with Roman's seasons, for tests."""

import numpy as np

from loaders.stored_curve.band import Band

SEASONS = (0.0, 182.0, 365.0, 1460.0, 1643.0, 1826.0)


def times(interval, seasons=SEASONS, length=72.0):
    return np.concatenate([begin + np.arange(0, length, interval) for begin in seasons])


def lensed(time, t_0, u_0, t_e):
    u = np.hypot(u_0, (time - t_0) / t_e)
    return (u**2 + 2) / (u * np.sqrt(u**2 + 4))


def event(t_0, u_0, t_e, error=1.0, rng=None, seasons=SEASONS, interval=12.1 / 1440):
    """Three elements: source fluxes 100, 30 and 50 with blends 20, 0 and 10."""
    bands = []
    for name, step, source, blend in (
        ("F146", interval, 100.0, 20.0),
        ("F087", 0.25, 30.0, 0.0),
        ("F213", 0.26, 50.0, 10.0),
    ):
        time = times(step, seasons)
        flux = source * lensed(time, t_0, u_0, t_e) + blend
        noise = 0 if rng is None else rng.normal(size=time.size) * error
        bands.append(Band(name, time, flux + noise, np.full(time.size, error)))
    return bands
