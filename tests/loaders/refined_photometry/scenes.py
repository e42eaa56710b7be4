"""Scenes around a blended event, made of arrays, with a PSF and a truth that are known."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.refined_photometry.exposures import Cutouts, PlacedPsf, SceneStars
from loaders.refined_photometry.refine import EventCourse, RefinedEvent, refine_event
from tests.loaders.psf.scenes import true_psf

READ, POISSON, SKY, SIDE, PIXEL = 20.0, 0.55, 80.0, 21, 110.0
HALF = SIDE // 2
NOBODY = np.array([], dtype=np.int64)


@functools.cache
def psf() -> EffectivePsf:
    return true_psf()


@functools.cache
def placed_psf() -> PlacedPsf:
    return PlacedPsf.of(psf(), 0.0, 0.0, SIDE)


@dataclass(frozen=True)
class Truth:
    """An event in a crowd.

    ``offset`` is the place of the source from the catalogued one of the object, which is the centre of its
    light at rest; ``flux`` all light of the object, shape (n,); ``mean`` the pixels without noise.
    """

    cutouts: Cutouts
    stars: SceneStars
    magnification: np.ndarray
    offset: np.ndarray
    flux: np.ndarray
    mean: np.ndarray
    source: float

    @property
    def course(self) -> EventCourse:
        return EventCourse(self.magnification - 1, self.source)

    def refined(self, near: np.ndarray = NOBODY, **others) -> RefinedEvent:
        given = {"cutouts": self.cutouts, "stars": self.stars, "course": self.course} | others
        return refine_event(
            {"F146": given["cutouts"]}, {"F146": given["stars"]}, {"F146": given["course"]}, near
        )


def magnified(time: np.ndarray, t_0: float = 5.0, u_0: float = 0.15, t_e: float = 1.5) -> np.ndarray:
    u = np.hypot(u_0, (time - t_0) / t_e)
    return (u**2 + 2) / (u * np.sqrt(u**2 + 4))


def blended(
    seed: int,
    n: int = 60,
    stars: int = 20,
    separation: tuple[float, float] = (65.0, -45.0),
    source: float = 3000.0,
    blend: float = 4000.0,
    alone: float = 0.0,
    varying: float = 0.0,
    **event: float,
) -> Truth:
    """Exposures of an event beside a star; no other star is nearer than ``alone`` pixels.

    ``separation`` is that of the source from the star beside it, mas; star number 1 varies by a share.
    """
    rng = np.random.default_rng(seed)
    place = _places(rng, stars, alone)
    flux = 300 / rng.uniform(0.01, 1, stars)
    flux[0] = source + blend
    time = np.linspace(0, 10, n)
    magnification = magnified(time, **event)
    apart = np.array(separation)
    at_source, at_blend = apart * blend / flux[0], -apart * source / flux[0]
    turn = np.diag([-1.0, 1.0]) / PIXEL
    shift, dither = rng.normal(0, 0.005, (n, 2)), rng.uniform(-0.5, 0.5, (n, 2))
    mean, x, y = np.empty((n, SIDE, SIDE)), np.empty((n, stars)), np.empty((n, stars))
    for e in range(n):
        x[e], y[e] = (place @ turn.T + HALF + dither[e]).T
        spots = np.concatenate([place[1:], [at_blend, at_source]]) @ turn.T + HALF + dither[e] + shift[e]
        light = np.concatenate([flux[1:], [blend, source * magnification[e]]])
        light[0] *= 1 + varying * np.sin(2.5 * time[e])
        mean[e] = (light @ placed_psf().light(*spots.T, SIDE)[0]).reshape(SIDE, SIDE) + SKY
    data = mean + rng.normal(size=mean.shape) * np.sqrt(READ + POISSON * mean)
    known = flux * rng.normal(1, 0.02, stars)
    varies = np.zeros(stars, dtype=bool)
    varies[1] = varying > 0
    return Truth(
        _cutouts(data, x, y, turn, time),
        SceneStars(known, np.full(stars, 0.5), varies, 0),
        magnification,
        at_source,
        flux[0] + source * (magnification - 1),
        mean,
        source,
    )


def _places(rng, stars: int, alone: float) -> np.ndarray:
    place = np.zeros((stars, 2))
    for k in range(1, stars):
        while np.hypot(*place[k]) < max(alone, 0.01) * PIXEL:
            place[k] = rng.uniform(-10.5, 10.5, 2) * PIXEL
    return place


def _cutouts(data, x, y, turn, time) -> Cutouts:
    n = len(time)
    good = np.ones(data.shape, dtype=bool)
    return Cutouts(
        data=data.astype(np.float32),
        usable=good,
        saturated=~good,
        beyond=np.zeros(data.shape, np.float32),
        read=np.full(n, READ),
        poisson=np.full(n, POISSON),
        scale=np.ones(data.shape, np.float32),
        x=x,
        y=y,
        to_pixel=np.repeat(turn[None], n, axis=0),
        psf=np.zeros(n, np.int64),
        psfs=[placed_psf()],
        bjd=time,
    )
