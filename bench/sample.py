"""The three files of romanisim with their truth, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import roman_datamodels

from loaders.photometry.fit import PixelImage, StarList

FloatArray = npt.NDArray[np.float64]

WINDOW_ORIGIN = (1750.0, 1750.0)
"""Detector coordinates of the first pixel of the romanisim cut-outs."""

NANOJANSKY_AB = 3631e9

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
_folder = BESIDE
_scale = 1.0


def use_folder(folder: Path) -> None:
    """Look for the files in another folder than ``../shared/data`` beside the project."""
    global _folder
    _folder = folder


def use_scale(scale: float) -> None:
    """Make what `scaled` areas measure that much larger; to be called before they are imported."""
    global _scale
    _scale = scale


def scaled(number: int) -> int:
    """Number of things that are measured, at least one."""
    return max(1, int(number * _scale))


def sample_directory() -> Path | None:
    """Where the romanisim files are, None if there are none."""
    directory = _folder / "romanisim_l2"
    return directory if (directory / "truth.parquet").exists() else None


def read_truth(directory: Path) -> dict[str, npt.NDArray]:
    """Columns of the truth."""
    truth = pq.read_table(directory / "truth.parquet")
    return {name: truth[name].to_numpy() for name in truth.column_names}


@dataclass(frozen=True)
class Sample:
    """One romanisim file with its truth, in DN/s; ``njy_per_unit`` is one of these in nJy."""

    image: PixelImage
    stars: StarList
    flux: FloatArray
    magnitude: FloatArray
    lens: npt.NDArray[np.bool_]
    njy_per_unit: float


def read_sample(directory: Path, exposure: int) -> Sample:
    """Read one of the three files and the truth that belongs to it."""
    path = sorted(directory.glob("*_cal.asdf"))[exposure]
    column = read_truth(directory)
    with roman_datamodels.open(path) as model:
        data, err, var_poisson = (np.array(model[name]) for name in ("data", "err", "var_poisson"))
        scale = abs(model.meta.photometry.conversion_megajanskys * model.meta.photometry.pixel_area) * 1e15
    image = PixelImage.from_calibrated(data, err, var_poisson, var_poisson > 0, origin=WINDOW_ORIGIN)
    catalogued = NANOJANSKY_AB * 10 ** (-0.4 * column["F146_mag"]) / scale
    stars = StarList(column[f"x{exposure}_true"], column[f"y{exposure}_true"], catalogued)
    flux = catalogued * column[f"amp{exposure}"]
    return Sample(image, stars, flux, column["F146_mag"], column["is_ulens"], scale)
