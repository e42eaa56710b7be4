"""References of the geometry in any of the forms that we read."""

from __future__ import annotations

from pathlib import Path

from loaders.input_file import read_bytes
from loaders.spectral_geometry.configuration import read_configuration
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.optical_model import read_optical_model
from loaders.spectral_geometry.reference import Reference
from loaders.spectral_geometry.reference_file import read_reference

_NOMINAL = {"nominal-grism": "GRISM", "nominal-prism": "PRISM"}


def read_geometry(path: Path) -> Reference:
    """Read our ASDF form, an optical model (.yaml) or a configuration of aXe or GRISMCONF.

    ``nominal-grism`` and ``nominal-prism``, where no such file is, are the references as designed.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``not_dispersion``.
    """
    if str(path) in _NOMINAL and not path.exists():
        return nominal_reference(_NOMINAL[str(path)])
    if read_bytes(path, "a reference of the geometry", 5) == b"#ASDF":
        return read_reference(path)
    if path.suffix in (".yaml", ".yml"):
        return read_optical_model(path)
    return read_configuration(path)
