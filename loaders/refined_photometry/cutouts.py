"""Pixels around events cut out of an exposure, with what their photometry needs to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import CatalogStars, catalog_pixels
from loaders.input_file import LoadedFile
from loaders.photometry.image import PixelImage
from loaders.photometry.measure import pixel_image
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.psf.scene import drawing_radii
from loaders.refined_photometry.exposures import (
    BoolArray,
    Cutouts,
    Float32Array,
    IntArray,
    PlacedPsf,
    SceneStars,
)
from loaders.refined_photometry.options import RefineOptions
from loaders.rejection import Rejected, unexpected
from loaders.wfi.level2 import Level2Image, read_level2

#: Pixels beyond the cut-out within which stars still shed light into it.
FAR = 64.0

_DEPTH = 0.05
"""Light of a held star in a pixel, in standard deviations of an empty one, below which it is left out."""

_MAS = 1000.0

_UNKNOWN_ERR, _LEAST_ERR = 5.0, 0.2
"""Error of a catalogued place that is not known, and the least that is believed, mas along an axis."""

_NOWHERE = -1e3
"""Pixel of a star that an exposure cannot show."""


@dataclass(frozen=True)
class SceneCatalog:
    """The stars around an event.

    Parameters
    ----------
    stars
        Those of the scene, then those that are held: farther away.
    n_scene
        How many are of the scene.
    target
        Which is the object of the event.
    """

    stars: CatalogStars
    n_scene: int
    target: int

    @property
    def objects(self) -> IntArray:
        """Identifiers of the stars of the scene, shape (n_scene,)."""
        return self.stars.object_id[: self.n_scene]

    def known(self, rows: Iterable[Any]) -> SceneStars:
        """What rows of ``refinement_star`` say of the stars of the scene, but that the object varies."""
        found = {row.object_id: row for row in rows}
        mine = [found[number] for number in self.objects.tolist()]
        error = np.array([row.position_err or _UNKNOWN_ERR for row in mine], dtype=np.float64)
        varies = np.array([row.varies for row in mine], dtype=bool)
        varies[self.target] = False
        return SceneStars(self.stars.flux[: self.n_scene], np.maximum(error, _LEAST_ERR), varies, self.target)

    def offsets(self) -> tuple[FloatArray, FloatArray]:
        """Places of the stars of the scene east and north of the object, mas, shape (n_scene,) each."""
        east, north = _offsets(self.stars.astrometry, self.target)
        return east[: self.n_scene] * _MAS, north[: self.n_scene] * _MAS


@dataclass(frozen=True)
class Piece:
    """One exposure of `Cutouts`, the PSF left out; ``detector`` is the object's place on it (x, y)."""

    exposure_id: int
    data: Float32Array
    usable: BoolArray
    saturated: BoolArray
    beyond: Float32Array
    read: float
    poisson: float
    scale: Float32Array
    x: FloatArray
    y: FloatArray
    to_pixel: FloatArray
    detector: tuple[float, float]


def scene_of(stars: CatalogStars, row: int, options: RefineOptions, pixel: float = 0.11) -> SceneCatalog:
    """The stars around one of them.

    Parameters
    ----------
    stars
        Stars of the field.
    row
        The object of the event.
    options
        How far the scene reaches.
    pixel
        Side of a pixel, arcsec.
    """
    distance = np.hypot(*_offsets(stars.astrometry, row)) / pixel
    inner = np.flatnonzero(distance <= options.radius + options.margin)
    outer = np.flatnonzero((distance > options.radius + options.margin) & (distance <= options.radius + FAR))
    outer = outer[np.isfinite(stars.flux[outer]) & (stars.flux[outer] > 0)]
    chosen = np.concatenate([inner, outer])
    return SceneCatalog(taken(stars, chosen), inner.size, int(np.flatnonzero(inner == row)[0]))


def _offsets(at: CatalogAstrometry, row: int) -> tuple[FloatArray, FloatArray]:
    """Places east and north of one of them, arcsec."""
    east = (at.ra - at.ra[row] + 180) % 360 - 180
    return east * 3600 * np.cos(np.radians(at.dec[row])), (at.dec - at.dec[row]) * 3600


def taken(stars: CatalogStars, rows: IntArray) -> CatalogStars:
    """Some of the stars, in the order that is asked for."""
    at = stars.astrometry
    names = ("ra", "dec", "ref_epoch", "pm_ra", "pm_dec", "parallax")
    some = CatalogAstrometry(*(getattr(at, name)[rows] for name in names))
    return CatalogStars(stars.object_id[rows], some, stars.flux[rows], stars.catalog_version_id)


@dataclass(frozen=True)
class CutLot:
    """What the exposures of a day have in common: their PSF and the scenes that are cut out."""

    psf: EffectivePsf
    scenes: Sequence[SceneCatalog]
    options: RefineOptions


_lot: CutLot | None = None


def set_lot(lot: CutLot) -> None:
    """Keep in this process what exposures have in common."""
    global _lot
    _lot = lot


def cut_file(exposure: tuple[LoadedFile, int]) -> list[Piece | None] | Rejected:
    """Cut the scenes out of an exposure (file and identifier), or say why that can't be done."""
    assert _lot is not None
    file, identifier = exposure
    try:
        file.require_unchanged()
        return cut_exposure(file.path, identifier, _lot.psf, _lot.scenes, _lot.options)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not the others
        return unexpected(file.path, error)


def cut_exposure(
    path: Path, exposure_id: int, psf: EffectivePsf, scenes: Sequence[SceneCatalog], options: RefineOptions
) -> list[Piece | None]:
    """Cut the scenes of events out of an exposure; None where the object is not on it.

    Raises
    ------
    Rejected
        If the file can't be used.
    """
    image = read_level2(path)
    pixels = pixel_image(image)
    return [cut_scene(image, pixels, exposure_id, psf, scene, options) for scene in scenes]


def cut_scene(
    image: Level2Image,
    pixels: PixelImage,
    exposure_id: int,
    psf: EffectivePsf,
    scene: SceneCatalog,
    options: RefineOptions,
) -> Piece | None:
    """Cut the scene of an event out of an exposure; None where the object is not on it."""
    x, y = catalog_pixels(image, scene.stars.astrometry)
    at = (float(x[scene.target]), float(y[scene.target]))
    ny, nx = image.shape
    if not (-0.5 <= at[0] < nx - 0.5 and -0.5 <= at[1] < ny - 0.5):
        return None
    half = int(np.ceil(options.radius)) + 1
    corner = (round(at[0]) - half, round(at[1]) - half)
    scale = image.njy_per_unit
    noise = pixels.noise
    factor = np.broadcast_to(np.asarray(noise.scale, np.float32), image.shape)
    good = _window(pixels.good_pixels(), corner, half, False)
    window = _window(np.where(pixels.usable, image.data, 0), corner, half, 0) * scale
    saturated = np.zeros(image.shape, bool) if pixels.saturated is None else pixels.saturated
    wide = EffectivePsf(psf.at(*at)[None, None], psf.oversampling, np.zeros(1), np.zeros(1))
    level = scale * np.sqrt(noise.read)
    beyond = _held_light(wide, scene, (x - corner[0], y - corner[1]), half, level)
    inside = slice(0, scene.n_scene)
    jacobian = image.projection.jacobian(np.array([at[0]]), np.array([at[1]]))[0] * _MAS
    return Piece(
        exposure_id=exposure_id,
        data=np.where(good, window - beyond, 0).astype(np.float32),
        usable=good,
        saturated=_window(saturated, corner, half, False),
        beyond=beyond.astype(np.float32),
        read=noise.read * scale**2,
        poisson=noise.poisson * scale,
        scale=np.where(good, _window(factor, corner, half, 1), 1).astype(np.float32),
        x=np.nan_to_num(x[inside] - corner[0], nan=_NOWHERE),
        y=np.nan_to_num(y[inside] - corner[1], nan=_NOWHERE),
        to_pixel=np.linalg.inv(jacobian).astype(np.float64),
        detector=at,
    )


def _window(
    array: np.typing.NDArray[np.generic], corner: tuple[int, int], half: int, fill: float
) -> np.ndarray:
    """Pixels of a square that may reach beyond the edges."""
    side = 2 * half + 1
    out = np.full((side, side), fill, dtype=array.dtype)
    ny, nx = array.shape
    j0, j1 = max(corner[1], 0), min(corner[1] + side, ny)
    i0, i1 = max(corner[0], 0), min(corner[0] + side, nx)
    if j0 < j1 and i0 < i1:
        out[j0 - corner[1] : j1 - corner[1], i0 - corner[0] : i1 - corner[0]] = array[j0:j1, i0:i1]
    return out


def _held_light(
    psf: EffectivePsf, scene: SceneCatalog, places: tuple[FloatArray, FloatArray], half: int, noise: float
) -> FloatArray:
    """Light in a cut-out of the stars beyond the scene, by their catalogued fluxes (nJy)."""
    image = np.zeros((2 * half + 1, 2 * half + 1))
    x, y, flux = (one[scene.n_scene :] for one in (*places, scene.stars.flux))
    known = np.isfinite(x) & np.isfinite(y)
    x, y, flux = x[known], y[known], flux[known]
    if x.size:
        draw(image, SplinePsf.of(psf), Stars(x, y, flux, drawing_radii(psf, flux, noise, _DEPTH)))
    return image


def assembled(pieces: Sequence[Piece], psf: EffectivePsf, bjd: FloatArray) -> Cutouts:
    """Lay out the pieces of an event in exposures with one PSF.

    Parameters
    ----------
    pieces
        One for each exposure.
    psf
        The PSF, in detector coordinates; that at the middle of the places of the object serves.
    bjd
        Shape (n,): midpoints.
    """
    x, y = np.median([piece.detector for piece in pieces], axis=0).tolist()
    placed = PlacedPsf.of(psf, x, y, pieces[0].data.shape[0])
    names = ("data", "usable", "saturated", "beyond", "read", "poisson", "scale", "x", "y", "to_pixel")
    arrays = {name: np.array([getattr(piece, name) for piece in pieces]) for name in names}
    return Cutouts(psf=np.zeros(len(pieces), np.int64), psfs=[placed], bjd=bjd, **arrays)


def joined(parts: Sequence[Cutouts]) -> Cutouts:
    """Several lots of exposures as one."""
    names = ("data", "usable", "saturated", "beyond", "read", "poisson", "scale", "x", "y", "to_pixel", "bjd")
    start = np.cumsum([0] + [len(part.psfs) for part in parts])
    psf = np.concatenate([part.psf + first for part, first in zip(parts, start[:-1], strict=True)])
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(parts[0], psf=psf, psfs=[one for part in parts for one in part.psfs], **arrays)
