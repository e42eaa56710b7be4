"""The sources of a catalog, column by column, in the units and frame of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]
Selection = npt.NDArray[np.bool_] | IntArray


@dataclass(frozen=True)
class Sources:
    """Sources, n of them. NaN means unknown in every column but `ra`, `dec` and `ref_epoch`.

    Parameters
    ----------
    row
        Shape (n,): row of the file that each came from, from 0.
    source_id
        Shape (n,): text by which the catalog names the source; None where it does not.
    ra, dec
        Shape (n,): position at `ref_epoch`, degrees ICRS.
    ref_epoch
        Shape (n,): Julian year. (TCB or TDB: they differ by less than a minute.)
    ra_err, dec_err
        Shape (n,): standard errors of the position, mas; `ra_err` times cos(dec).
    pm_ra, pm_dec, pm_ra_err, pm_dec_err
        Shape (n,): proper motion and standard errors, mas/yr; `pm_ra` times cos(dec).
    parallax, parallax_err
        Shape (n,): mas.
    flux, flux_err
        By optical element, shape (n,): flux density and standard error, nJy.
    """

    row: IntArray
    source_id: ObjectArray
    ra: FloatArray
    dec: FloatArray
    ref_epoch: FloatArray
    ra_err: FloatArray
    dec_err: FloatArray
    pm_ra: FloatArray
    pm_dec: FloatArray
    pm_ra_err: FloatArray
    pm_dec_err: FloatArray
    parallax: FloatArray
    parallax_err: FloatArray
    flux: Mapping[str, FloatArray] = field(default_factory=dict)
    flux_err: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = {name: column.shape for name, column in self.columns().items()}
        if len(set(shapes.values())) != 1 or self.row.ndim != 1:
            raise ValueError(f"all columns must have one shape (n,), got {shapes}")
        if set(self.flux) != set(self.flux_err):
            raise ValueError(f"flux and flux_err must have the same keys, got {self.flux}, {self.flux_err}")

    def __len__(self) -> int:
        return int(self.row.size)

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """All columns, those of the fluxes as ``flux.F146`` and ``flux_err.F146``."""
        plain = {name: getattr(self, name) for name in COLUMN_NAMES}
        fluxes = {f"flux.{element}": values for element, values in self.flux.items()}
        errors = {f"flux_err.{element}": values for element, values in self.flux_err.items()}
        return plain | fluxes | errors

    def take(self, chosen: Selection) -> Sources:
        """Sources chosen by a mask, shape (n,), or by indices."""
        plain = {name: getattr(self, name)[chosen] for name in COLUMN_NAMES}
        flux = {element: values[chosen] for element, values in self.flux.items()}
        errors = {element: values[chosen] for element, values in self.flux_err.items()}
        return Sources(**plain, flux=flux, flux_err=errors)

    def put(self, at: IntArray, others: Sources) -> Sources:
        """Sources of which those at some indices are replaced by others."""
        plain = {name: _with(getattr(self, name), at, getattr(others, name)) for name in COLUMN_NAMES}
        flux = {element: _with(values, at, others.flux[element]) for element, values in self.flux.items()}
        errors = {key: _with(values, at, others.flux_err[key]) for key, values in self.flux_err.items()}
        return Sources(**plain, flux=flux, flux_err=errors)


def _with(values: npt.NDArray[Any], at: IntArray, others: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy with some entries replaced."""
    out = values.copy()
    out[at] = others
    return out


COLUMN_NAMES = tuple(item.name for item in fields(Sources) if item.name not in ("flux", "flux_err"))
"""Columns that are no fluxes."""

ASTROMETRY = tuple(name for name in COLUMN_NAMES if name not in ("row", "source_id"))
"""Columns that hold numbers about position and motion."""


def joined(parts: Sequence[Sources]) -> Sources:
    """Sources of all chunks."""
    columns = {name: np.concatenate([part.columns()[name] for part in parts]) for name in parts[0].columns()}
    plain = {name: values for name, values in columns.items() if "." not in name}
    flux = {name.split(".")[1]: values for name, values in columns.items() if name.startswith("flux.")}
    error = {name.split(".")[1]: values for name, values in columns.items() if name.startswith("flux_err.")}
    return Sources(**plain, flux=flux, flux_err=error)
