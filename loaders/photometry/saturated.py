"""Images without their blocks of saturated pixels."""

from __future__ import annotations

from dataclasses import replace

from loaders.photometry.image import PixelImage
from loaders.wfi.saturated import in_blocks


def without_blocks(image: PixelImage) -> PixelImage:
    """An image in which blocks of saturated pixels, and what is bright around them, are not used.

    Parameters
    ----------
    image
        An image that says which pixels saturated; it is given back as it is if none did, or most.
    """
    if image.saturated is None or not image.saturated.any():
        return image
    out = in_blocks(image.data, image.good_pixels(), image.saturated)
    return replace(image, usable=image.usable & ~out) if out.any() else image
