"""Pictures as PNG."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import numpy.typing as npt


def png(levels: npt.NDArray[np.uint8]) -> bytes:
    """Picture of grey levels, shape (ny, nx), its first row at the top."""
    sink = io.BytesIO()
    matplotlib.image.imsave(sink, levels, cmap="gray", vmin=0, vmax=255, format="png")
    return sink.getvalue()
