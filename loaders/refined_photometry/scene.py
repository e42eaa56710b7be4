"""The state of a scene, and what it says of the pixels of an exposure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import BoolArray, IntArray, Scene
from loaders.refined_photometry.options import RefineOptions

_TINY = 1e-30


@dataclass(frozen=True)
class SceneState:
    """What is unknown of a scene of k stars in n exposures.

    Parameters
    ----------
    flux
        Shape (k,), nJy: constant fluxes; of stars that vary their means.
    offset
        Shape (k, 2), mas east and north: from the catalogued places.
    place
        Shape (2,), mas: the event's light from the catalogued place of its object.
    event
        Shape (n,), nJy: light of the event above the constant flux of its object.
    sky
        Shape (n,), nJy a pixel.
    shift
        Shape (n, 2), pixels: of exposures from where their WCS has them.
    change
        Shape (n, v), nJy: of the stars that vary from their means.
    rejected
        Shape (n, side²): pixels that do not fit.
    """

    flux: FloatArray
    offset: FloatArray
    place: FloatArray
    event: FloatArray
    sky: FloatArray
    shift: FloatArray
    change: FloatArray
    rejected: BoolArray

    def take(self, chosen: IntArray) -> SceneState:
        """The state in some of the exposures."""
        names = ("event", "sky", "shift", "change", "rejected")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def put(self, chosen: IntArray, part: SceneState) -> SceneState:
        """The state with a newer one of some of the exposures in its place."""
        out = {}
        for name in ("event", "sky", "shift", "change", "rejected"):
            out[name] = getattr(self, name).copy()
            out[name][chosen] = getattr(part, name)
        return replace(part, **out)


def beginning(scene: Scene) -> SceneState:
    """What is known before any fit: the catalog, no event, and a sky from the pixels."""
    cutouts, stars = scene.cutouts, scene.stars
    n, k, pixels = len(cutouts), stars.flux.size, cutouts.side**2
    flux = np.where(np.isfinite(stars.flux), stars.flux, 0.0)
    blank = SceneState(
        flux=flux,
        offset=np.zeros((k, 2)),
        place=np.zeros(2),
        event=np.zeros(n),
        sky=np.zeros(n),
        shift=np.zeros((n, 2)),
        change=np.zeros((n, int(stars.varies.sum()))),
        rejected=np.zeros((n, pixels), dtype=bool),
    )
    sky = np.zeros(n)
    for e in range(n):
        view = look(scene, blank, e)
        good = cutouts.usable[e].ravel() & view.disc
        if good.any():
            sky[e] = np.median((cutouts.data[e].ravel() - view.constant)[good])
    return replace(blank, sky=sky)


@dataclass(frozen=True)
class ExposureView:
    """What a scene says of one exposure; p pixels.

    Parameters
    ----------
    light
        Shape (3, k, p): stars of unit flux, and the derivatives by x and y.
    event
        Shape (3, p): the same at the place of the event.
    constant, slope
        Shape (p,), (2, p): light of all stars but the event's, and what a shift of the exposure along x and y
        adds to that of all.
    model
        Shape (p,): all light, with the sky.
    disc
        Shape (p,): pixels within the radius of the object.
    """

    light: FloatArray
    event: FloatArray
    constant: FloatArray
    slope: FloatArray
    model: FloatArray
    disc: BoolArray


def look(scene: Scene, state: SceneState, e: int) -> ExposureView:
    """Draw the scene of exposure number ``e``."""
    cutouts, stars = scene.cutouts, scene.stars
    psf, side = cutouts.psfs[cutouts.psf[e]], cutouts.side
    x, y, moved = cutouts.x[e], cutouts.y[e], state.offset @ cutouts.to_pixel[e].T
    at = cutouts.to_pixel[e] @ state.place + state.shift[e]
    target = stars.target
    xs = np.append(x + moved[:, 0] + state.shift[e, 0], x[target] + at[0])
    ys = np.append(y + moved[:, 1] + state.shift[e, 1], y[target] + at[1])
    every = psf.light(xs, ys, side)
    light, event = every[:, :-1], every[:, -1]
    flux = state.flux.copy()
    flux[stars.varies] += state.change[e]
    drawn = np.einsum("k,akp->ap", flux, light)
    row, column = np.arange(side)[:, None] - y[target], np.arange(side)[None, :] - x[target]
    disc = (row**2 + column**2 <= scene.options.radius**2).ravel()
    full = drawn + state.event[e] * event
    return ExposureView(light, event, drawn[0], full[1:], full[0] + state.sky[e], disc)


def weights(scene: Scene, state: SceneState, view: ExposureView, e: int) -> tuple[FloatArray, FloatArray]:
    """Residuals of the pixels of an exposure and weights, inverse variances by the model; shape (p,) each."""
    cutouts, options = scene.cutouts, scene.options
    beyond = cutouts.beyond[e].ravel()
    rate = np.maximum(view.model + beyond, 0.0)
    variance = cutouts.scale[e].ravel() * (cutouts.read[e] + cutouts.poisson[e] * rate)
    variance = variance + (options.psf_error * (view.constant + beyond)) ** 2
    good = cutouts.usable[e].ravel() & view.disc & ~state.rejected[e]
    residual = np.where(good, cutouts.data[e].ravel() - view.model, 0.0)
    return residual, np.where(good, 1 / np.maximum(variance, _TINY), 0.0)


def outliers(
    residual: FloatArray, weight: FloatArray, light: FloatArray, options: RefineOptions
) -> BoolArray:
    """Pixels that do not fit, shape (p,).

    Parameters
    ----------
    residual, weight
        As `weights` gives them.
    light
        Shape (p,): light of stars, a share of which the PSF may be wrong by.
    options
        Limits.
    """
    variance = np.divide(1.0, weight, out=np.full(weight.shape, np.inf), where=weight > 0)
    return np.asarray(
        residual**2 > options.outlier**2 * (variance + (options.outlier_psf_error * light) ** 2)
    )
