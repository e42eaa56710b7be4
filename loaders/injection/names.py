"""How files with artificial sources are told from others: by their names, and by what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roman_datamodels.datamodels import DataModel

from loaders.rejection import Rejected

_MARK = "injected"


def injected_name(name: str) -> str:
    """Name of an image with artificial sources: that of the image, marked before the kind of product.

    ``r…_f146_cal.asdf`` becomes ``r…_f146_injectedcal.asdf``: of the same visit and exposure, which some
    files say by their names alone, but of no kind of product that the archive has.
    """
    stem, _, kind = Path(name).stem.rpartition("_")
    return f"{stem}_{_MARK}{kind}.asdf" if stem else f"{kind}_{_MARK}.asdf"


def output_path(image: Path, folder: Path) -> Path:
    """Path under which an image with artificial sources is written.

    Raises
    ------
    Rejected
        Code ``would_overwrite`` if that is the image itself.
    """
    path = folder / injected_name(image.name)
    if path.resolve() == image.resolve():
        raise Rejected(str(path), "is the image itself", "Name another folder", "would_overwrite")
    return path


def describe_injection(model: DataModel, source: Path, output: Path, said: dict[str, Any]) -> None:
    """Write into a product that it has artificial sources: into ``meta.injection``, which RAD leaves free.

    Parameters
    ----------
    model
        The product; its name and its log, if it has one, are changed, too.
    source, output
        Where it came from, and goes.
    said
        Plain values: what was injected.
    """
    model.meta["injection"] = {"source_filename": source.name, **said}
    model.meta.filename = type(model.meta.filename)(output.name)
    if "cal_logs" in model.meta:
        words = ", ".join(f"{name} {value}" for name, value in said.items())
        model.meta.cal_logs.append(f"artificial sources were added: {words}")
