"""Columns of RAD's ``time_domain_source_catalog`` from the sources of a difference; bits of its flags."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.difference.sources import DESCRIPTION, SourceClass
from loaders.photometry.apertures import APERTURE_RADIUS
from loaders.time_domain.measure import MeasuredSources


class ImageFlag(enum.IntFlag):
    """Bits of ``image_flags``."""

    EDGE = 1
    """Beside pixels that do not count, or at the edge of the image."""


class PsfFlag(enum.IntFlag):
    """Bits of ``psf_flags``."""

    HIT = 1
    """Not of the shape of a star."""
    DIPOLE = 2
    """A gain beside a loss."""


KIND_CODE: dict[SourceClass, int] = {kind: number for number, kind in enumerate(SourceClass)}
"""Numbers of ``dia_kind``."""

Further = dict[str, tuple[npt.NDArray[Any], str | None, str]]

_APERTURE = f"forced_aper{round(10 * APERTURE_RADIUS):02d}"


def rad_columns(measured: MeasuredSources) -> dict[str, npt.NDArray[Any]]:
    """Columns that RAD defines, in its order; shape (n,) each.

    All fluxes are changes against the template, negative for a loss. What begins with ``forced`` is measured
    at ``ra, dec``: the place of the object, or that of the source where it has none.
    """
    sources, sky, places = measured.compared.sources, measured.sky, measured.places
    forced, apertures, area = measured.forced, measured.apertures, measured.side**2
    kind = sources.kind
    return {
        "id": places.identifier,
        "source_catalog_index": places.catalog,
        "ra": places.ra,
        "dec": places.dec,
        "x": places.x,
        "y": places.y,
        "image_flags": np.where(kind == SourceClass.EDGE.value, ImageFlag.EDGE, 0),
        "ra_psf": sky.ra,
        "ra_psf_err": sky.ra_err / 1000.0,
        "dec_psf": sky.dec,
        "dec_psf_err": sky.dec_err / 1000.0,
        "x_psf": sources.x,
        "x_psf_err": sources.x_err,
        "y_psf": sources.y,
        "y_psf_err": sources.y_err,
        "psf_flux": sources.flux,
        "psf_flux_err": sources.flux_err,
        "psf_flags": np.where(kind == SourceClass.HIT.value, PsfFlag.HIT, 0)
        | np.where(kind == SourceClass.DIPOLE.value, PsfFlag.DIPOLE, 0),
        "psf_gof": sources.reduced_chi2,
        "forced_psf_flux": forced.flux,
        "forced_psf_flux_err": forced.flux_err,
        "forced_psf_flags": forced.flags,
        "forced_psf_gof": forced.reduced_chi2,
        f"{_APERTURE}_flux": apertures.flux,
        f"{_APERTURE}_flux_err": apertures.flux_err,
        "forced_aper_bkg_flux": apertures.background / area,
        "forced_aper_bkg_flux_err": apertures.background_err / area,
    }


def further_columns(measured: MeasuredSources) -> Further:
    """Columns that RAD does not define: values, shape (n,), unit and description."""
    sources = measured.compared.sources
    code = np.array([KIND_CODE[SourceClass(kind)] for kind in sources.kind.tolist()], dtype=np.int32)
    kinds = "; ".join(f"{number} {kind}: {DESCRIPTION[kind]}" for kind, number in KIND_CODE.items())
    return {
        "dia_kind": (code, None, f"What the source is taken for. {kinds}"),
        "dia_snr": (sources.signal_to_noise, None, "Modulus of psf_flux over its error in the search"),
        "object_flux": (measured.places.flux, "nJy", "Catalogued flux of the object, which did not change"),
        "object_distance": (measured.places.distance, "arcsec", "Distance of the source from its object"),
    }
