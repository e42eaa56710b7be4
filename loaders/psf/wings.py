"""A measured core on modelled wings: what stars leave far from their centres is too faint to be measured."""

from __future__ import annotations

import numpy as np

from loaders.psf.model import EffectivePsf, FloatArray

#: Pixels inside the edge of the core over which it passes over into the wings.
BLEND = 3.0


def with_wings(core: EffectivePsf, wings: EffectivePsf) -> EffectivePsf:
    """Put a core on the wings of a wider PSF of one flux scale.

    Parameters
    ----------
    core
        The PSF within its half width, at any nodes.
    wings
        A wider PSF of the same oversampling; its stamp at its first node serves all nodes of the core.

    Returns
    -------
    EffectivePsf
        As wide as the wings, at the nodes of the core. Within the last `BLEND` pixels of the core one passes
        smoothly over into the other, along the distance from the centre.

    Raises
    ------
    ValueError
        If the oversampling differs or the wings are no wider than the core.
    """
    if wings.oversampling != core.oversampling or wings.size <= core.size:
        raise ValueError(
            f"wings must have oversampling {core.oversampling} and be wider than {core.size}, "
            f"got {wings.oversampling} and {wings.size}"
        )
    wide = np.broadcast_to(wings.stamps[0, 0], (*core.stamps.shape[:2], wings.size, wings.size)).copy()
    edge = (wings.size - core.size) // 2
    inner = (..., slice(edge, edge + core.size), slice(edge, edge + core.size))
    weight = _core_weight(core)
    wide[inner] = weight * core.stamps + (1 - weight) * wide[inner]
    return EffectivePsf(wide, core.oversampling, core.x_node, core.y_node)


def _core_weight(core: EffectivePsf) -> FloatArray:
    """One in the core, zero at its edge, with a half cosine between."""
    axis = (np.arange(core.size) - (core.size - 1) / 2) / core.oversampling
    distance = np.hypot(axis[:, None], axis[None, :])
    phase = np.clip((core.half_width - distance) / BLEND, 0.0, 1.0)
    return np.asarray((1 - np.cos(np.pi * phase)) / 2)
