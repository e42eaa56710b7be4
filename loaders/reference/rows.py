"""What is stored of a reference image besides its file, as columns of tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.reference.absolute import AbsoluteSolution
from loaders.reference.build import MemberState, Reference
from loaders.reference.frame import FloatArray, ReferenceFrame

_AB_ZERO_NJY = 3631e9
_DETECTION = 5.0


def anchor_row(anchored: AbsoluteSolution | None, frame: ReferenceFrame) -> dict[str, Any]:
    """Columns that say what the frame was laid on; the frame moves with its stars."""
    if anchored is None:
        return {"n_anchor": 0}
    # A star that lies to the right of where the frame has it moves the frame's pixels to the left.
    east, north = -(frame.matrix * 1000.0) @ anchored.shift
    east_err, north_err = np.sqrt((frame.matrix * 1000.0) ** 2 @ anchored.shift_err**2)
    return {
        "n_anchor": anchored.n_star,
        "anchor_shift_ra": float(east),
        "anchor_shift_dec": float(north),
        "anchor_shift_ra_err": float(east_err),
        "anchor_shift_dec_err": float(north_err),
        "anchor_residual": anchored.residual * frame.pixel_scale * 1000.0,
    }


def limiting_magnitude(reference: Reference, psf: EffectivePsf) -> float:
    """AB magnitude of a star alone at five standard deviations, in the median over the image."""
    image = reference.image
    stamp = psf.at(*reference.frame.middle)[:: psf.oversampling, :: psf.oversampling]
    empty = np.median(image.noise.variance(np.zeros_like(image.data))[image.usable])
    flux = _DETECTION * np.sqrt(float(empty) / float((stamp**2).sum()))
    return float(-2.5 * np.log10(flux / _AB_ZERO_NJY))


def member_row(member: MemberState, frame: ReferenceFrame, moved: FloatArray) -> dict[str, Any]:
    """Columns of ``roman.reference_image_exposure``; ``moved``: shift of the frame itself, fine pixels."""
    matrix = frame.matrix * 1000.0
    east, north = matrix @ (np.array(member.shift) - moved)
    turn = matrix @ member.linear
    east_err, north_err = np.sqrt(matrix**2 @ np.array(member.shift_err) ** 2)
    return {
        "is_used": member.refused is None,
        "refused": member.refused,
        "shift_ra": float(east),
        "shift_dec": float(north),
        "shift_ra_err": float(east_err),
        "shift_dec_err": float(north_err),
        "shift_ra_by_x": float(turn[0, 0]),
        "shift_ra_by_y": float(turn[0, 1]),
        "shift_dec_by_x": float(turn[1, 0]),
        "shift_dec_by_y": float(turn[1, 1]),
        "sky": member.sky,
        "flux_scale": member.scale,
        "flux_scale_err": None if np.isnan(member.scale_err) else member.scale_err,
        "n_scale_star": member.n_scale_star,
        "fraction_rejected": member.rejected,
        "weight": member.weight,
    }
