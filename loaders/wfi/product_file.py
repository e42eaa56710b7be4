"""Open a Level-2 file, or a mosaic, and say in one line what is wrong if it cannot be used."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asdf
import roman_datamodels
import yaml
from asdf.exceptions import (
    AsdfBlockIndexWarning,
    AsdfConversionWarning,
    AsdfPackageVersionWarning,
    ValidationError,
)
from roman_datamodels.datamodels import DataModel, ImageModel, MosaicModel

from loaders.input_file import beginning, read_bytes, unreadable
from loaders.rejection import Rejected
from loaders.wfi.asdf_blocks import missing_end

DECODING_ERRORS = (ValueError, TypeError, AttributeError, AsdfConversionWarning)
"""What asdf raises where a value is looked up that cannot be decoded."""

_ASDF_MAGIC = b"#ASDF"
_FETCH_AGAIN = "Fetch the file again from the archive"
_SHOWN = 80


@contextmanager
def level2_model(path: Path, *, pixels: bool) -> Iterator[ImageModel]:
    """Open a Level-2 file, validated by RAD.

    Parameters
    ----------
    path
        File.
    pixels
        True reads all binary blocks and checks them against their checksums; False leaves them on disk, so
        that damage there goes unnoticed.

    Yields
    ------
    ImageModel
        Closed on return.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``not_asdf``, ``truncated``,
        ``corrupted``, ``not_roman``, ``not_level2``, ``schema_violation``.
    """
    _check_is_asdf(path)
    with _opened(path, pixels=pixels) as model:
        if not isinstance(model, ImageModel):
            raise _other_product(path, model, "Level-2 exposure, _cal.asdf", "not_level2")
        yield model


@contextmanager
def level3_model(path: Path) -> Iterator[MosaicModel]:
    """Open a Level-3 mosaic with its pixels, validated by RAD.

    Raises
    ------
    Rejected
        As `level2_model`, with ``not_level3`` in place of ``not_level2``.
    """
    _check_is_asdf(path)
    with _opened(path, pixels=True) as model:
        if not isinstance(model, MosaicModel):
            raise _other_product(path, model, "Level-3 mosaic, _coadd.asdf", "not_level3")
        yield model


def product_level(path: Path) -> int:
    """Tell whether a file is a Level-2 exposure (2) or a Level-3 mosaic (3), without its pixels.

    Raises
    ------
    Rejected
        As `level2_model`; ``not_level2`` if it is neither.
    """
    _check_is_asdf(path)
    with _opened(path, pixels=False) as model:
        if isinstance(model, MosaicModel):
            return 3
        if isinstance(model, ImageModel):
            return 2
        raise _other_product(path, model, "Level-2 exposure or a Level-3 mosaic", "not_level2")


@contextmanager
def _opened(path: Path, *, pixels: bool) -> Iterator[DataModel | None]:
    """Open the product of a file; None if roman_datamodels has no model of it."""
    with _quiet_reading():
        with _rejecting(path):
            file = _open_validated(path, pixels=pixels)
        with file:
            yield _product(path, file)


def _check_is_asdf(path: Path) -> None:
    """Reject what cannot be an ASDF file before a parser sees it."""
    where = str(path)
    start = read_bytes(path, "a Level-2 file (_cal.asdf)", 80)
    if not start:
        raise Rejected(where, "the file is empty", _FETCH_AGAIN, "empty_file")
    if not start.startswith(_ASDF_MAGIC):
        kind = "a FITS file" if start.startswith(b"SIMPLE  =") else beginning(start)
        what = f"expected ASDF, found {kind}"
        raise Rejected(where, what, "Give a Level-2 file whose name ends in _cal.asdf", "not_asdf")
    try:
        missing = missing_end(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if missing:
        raise Rejected(where, f"the end of the file is missing: {missing}", _FETCH_AGAIN, "truncated")


@contextmanager
def _quiet_reading() -> Iterator[None]:
    """Settle which warnings of the readers matter: some are errors, the others are of no use to the user."""
    with warnings.catch_warnings():
        # Leap seconds of the survey's years are not announced yet; the file's UTC is what there is.
        warnings.filterwarnings("ignore", message=".*dubious year.*")
        # Validation tells whether a file of a later library can be read.
        warnings.filterwarnings("ignore", category=AsdfPackageVersionWarning)
        # What cannot be decoded would be left as it is in the file, only a warning would tell.
        warnings.filterwarnings("error", category=AsdfConversionWarning)
        warnings.filterwarnings("error", category=AsdfBlockIndexWarning)
        yield


def _open_validated(path: Path, *, pixels: bool) -> asdf.AsdfFile:
    """Open with the validation by schema that asdf leaves off by default."""
    _load_extensions()
    with asdf.config_context() as config:
        config.validate_on_read = True
        return asdf.open(
            path, lazy_tree=True, memmap=False, lazy_load=not pixels, validate_checksums=pixels, mode="r"
        )


@functools.cache
def _load_extensions() -> None:
    """Have asdf load its extensions and schemas once: a context would load its own each time, for 0.3 s."""
    configuration = asdf.get_config()
    _ = configuration.extensions, configuration.resource_manager


@contextmanager
def _rejecting(path: Path) -> Iterator[None]:
    """Turn what asdf raises on damaged or invalid files into rejections."""
    where = str(path)
    try:
        yield
    except ValidationError as error:
        raise _schema_violation(where, error) from error
    except yaml.YAMLError as error:
        what = f"the header is not YAML ({one_line(error)})"
        raise Rejected(where, what, _FETCH_AGAIN, "corrupted") from error
    except (ValueError, OSError, RuntimeError, AsdfBlockIndexWarning) as error:
        raise Rejected(where, f"damaged: {one_line(error)}", _FETCH_AGAIN, "corrupted") from error


def _schema_violation(where: str, error: ValidationError) -> Rejected:
    """Name the keyword and the value that RAD does not allow."""
    keyword = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "required":
        what = f"a keyword is missing: {error.message}"
    else:
        # Of an array asdf shows how the header describes it, which the message says in words.
        is_array = error.validator in ("ndim", "max_ndim", "datatype")
        value = "the array" if is_array else f"value {shorten(repr(error.instance))}"
        what = f"{value} is not allowed by its RAD schema ({shorten(error.message)})"
    remedy = "Correct the keyword or process the file with a current pipeline"
    return Rejected(f"{where}: {keyword or 'roman'}", what, remedy, "schema_violation")


def _product(path: Path, file: asdf.AsdfFile) -> DataModel | None:
    """Wrap an open file as the model of its product."""
    if "roman" not in file.tree:
        keys = ", ".join(sorted(str(key) for key in file.tree if key not in ("asdf_library", "history")))
        what = f"no Roman data in it (top-level keys: {shorten(keys) or 'none'})"
        raise Rejected(str(path), what, "Give a Roman Level-2 file", "not_roman")
    return _model(file)


def _other_product(path: Path, model: DataModel | None, wanted: str, code: str) -> Rejected:
    """Rejection of a product that is not the one that is wanted."""
    kind = type(model).__name__ if model is not None else "of a type or version that RAD does not know"
    expected = "a MosaicModel" if code == "not_level3" else "an ImageModel"
    return Rejected(str(path), f"the product is {kind}, not {expected}", f"Give a {wanted}", code)


def _model(file: asdf.AsdfFile) -> DataModel | None:
    """Model of the file's product; None if roman_datamodels has none."""
    try:
        return roman_datamodels.open(file)
    except (TypeError, AsdfConversionWarning):
        return None


def one_line(error: Exception) -> str:
    """Shorten what an exception says to one line."""
    return shorten((str(error) or type(error).__name__).splitlines()[0])


def shorten(text: str) -> str:
    """Cut a text to a length that fits one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
