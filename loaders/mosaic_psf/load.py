"""The PSF of a mosaic: its exposures are found, and their PSFs in the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from loaders.mosaic_psf.members import psf_of_mosaic, read_member, spread_out
from loaders.psf.load import psf_for
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.wfi.projection import SkyProjection
from roman_db import session

#: Exposures of a mosaic whose PSFs are averaged.
MEMBERS_A_PSF = 8

_MEMBERS = """
SELECT f.path FROM roman.exposure e JOIN ops.input_file f USING (file_id)
WHERE f.kind = 'exposure' AND f.superseded_at IS NULL AND f.filename = ANY(CAST(:names AS text[]))
ORDER BY e.midpoint_mjd_tdb
"""


@dataclass(frozen=True)
class MosaicImage:
    """What of a mosaic its PSF follows from.

    Parameters
    ----------
    path
        Its file.
    optical_element
        Optical element.
    sky
        How its pixels see the sky.
    pixfrac
        Side of the drops of drizzling in pixels of the detector.
    members
        Names of the files of its exposures.
    """

    path: Path
    optical_element: str
    sky: SkyProjection
    pixfrac: float
    members: Sequence[str]


@dataclass(frozen=True)
class MosaicPsf:
    """PSF in pixels of a mosaic, and the PSFs of the library that it is the mean of; none: of the optics."""

    psf: EffectivePsf
    psf_model_id: tuple[int, ...]


def psf_for_mosaic(mosaic: MosaicImage) -> MosaicPsf:
    """Mean PSF of some of the exposures of a mosaic, in its pixels.

    Raises
    ------
    Rejected
        Code ``no_member`` if none of its exposures is loaded or lies beside it.
    """
    members, numbers = [], set()
    for path in _members_of(mosaic):
        member = read_member(path, mosaic.sky)
        with session.reading() as connection:
            found = psf_for(connection, member.detector, mosaic.optical_element, member.mjd_tdb)
        members.append((member, found.psf))
        if found.psf_model_id is not None:
            numbers.add(found.psf_model_id)
    return MosaicPsf(psf_of_mosaic(members, mosaic.sky, mosaic.pixfrac), tuple(sorted(numbers)))


def _members_of(mosaic: MosaicImage) -> list[Path]:
    """Files of some exposures of a mosaic: loaded ones, or else those that lie beside it."""
    names = [Path(name).name for name in mosaic.members]
    with session.reading() as connection:
        loaded = connection.execute(sa.text(_MEMBERS), {"names": names}).scalars()
        found = [one for one in map(Path, loaded) if one.is_file()]
    found = found or [one for one in (mosaic.path.parent / name for name in names) if one.is_file()]
    if not found:
        what = f"none of its {len(names)} exposures is loaded or lies beside it, from which its PSF is known"
        remedy = "Load some of them: roman-db load exposure FILE"
        raise Rejected(str(mosaic.path), what, remedy, "no_member")
    return spread_out(found, MEMBERS_A_PSF)
