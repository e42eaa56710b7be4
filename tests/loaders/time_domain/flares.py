"""The two spans of `tests.loaders.eight_day.two_spans`, with a flare in one exposure of each."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roman_datamodels

from loaders.psf.load import wide_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.wfi.level2 import read_level2
from tests.loaders.eight_day import two_spans

#: Exposures of the first span and of the second that are taken.
N_FIRST, N_SECOND = two_spans.N_EXPOSURE, 5

#: Exposures of the first span and of the second that show a flare each, at another place.
MEMBER, LATER = 12, two_spans.N_EXPOSURE + 3
PLACES = {MEMBER: (30.4, 40.7), LATER: (44.2, 22.3)}
"""Pixels of these exposures."""

FLUX = 60_000.0
"""nJy: about 19.5 mag."""


@dataclass(frozen=True, eq=False)
class Flares:
    """The files, and where on the sky the flares are by the WCS of their exposures."""

    spans: two_spans.TwoSpans
    folder: Path
    ra: dict[int, float]
    dec: dict[int, float]

    @property
    def files(self) -> list[Path]:
        """All exposures."""
        return sorted(self.folder.glob("*_cal.asdf"))


@functools.cache
def simulated(shared: Path, own: Path) -> Flares:
    """Copies of the files, two of them with a flare."""
    spans = two_spans.simulated(shared)
    ra, dec = {}, {}
    for number, file in enumerate(spans.files):
        if number % two_spans.N_EXPOSURE >= (N_FIRST if number < two_spans.N_EXPOSURE else N_SECOND):
            continue
        copy = own / file.name
        if number not in PLACES:
            shutil.copy(file, copy)
            continue
        image = read_level2(file)
        x, y = (np.array([p]) for p in PLACES[number])
        ra[number], dec[number] = (float(one[0]) for one in image.projection.to_sky(x, y))
        light = np.zeros(image.shape)
        psf = SplinePsf.of(wide_psf("WFI07", "F146"))
        draw(light, psf, Stars(x, y, np.array([FLUX / image.njy_per_unit]), np.array([20])))
        with roman_datamodels.open(file) as model:
            model.data = (np.asarray(model.data) + light).astype(np.float32)
            model.save(copy)
    return Flares(spans, own, ra, dec)
