"""The page of a spectrum, and what its plots ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from roman_db.portal.answer import json_response, problem
from roman_db.portal.calculations import calculation
from roman_db.portal.data import Columns
from roman_db.portal.page import not_found, page
from roman_db.portal.reading import arrays, row, rows
from roman_db.portal.spectrum import density_of, shown_pixels, small_picture
from roman_db.query.coordinates import sexagesimal
from roman_db.whole_number import whole_number

router = APIRouter(include_in_schema=False)

#: Spectra that the page of an object lists.
_MOST = 20
_PIXELS = ("wavelength", "flux", "flux_err", "mask")


@router.get("/spectrum/{spectrum_id}")
def spectrum(request: Request, spectrum_id: str) -> Response:
    """A spectrum with its redshift and lines."""
    number = whole_number(spectrum_id)
    found = None if number is None else row("spectrum", spectrum_id=number)
    if found is None:
        return not_found(request, f"There is no spectrum {spectrum_id[:40]}.")
    parts = ("alternatives", "flags", "lines")
    known: dict[str, Any] = {part: rows(f"spectrum_{part}", spectrum_id=number) for part in parts}
    place = None if found["ra"] is None else sexagesimal(found["ra"], found["dec"])
    return page("spectrum.html", request, spectrum=found, place=place, **known)


@router.get("/portal/data/spectrum/{spectrum_id}")
def pixels(
    spectrum_id: int,
    first: float | None = None,
    last: float | None = None,
    columns: Columns = 1000,
) -> Response:
    """Pixels of a spectrum between two wavelengths (µm), its redshift, and lines that may be marked."""
    found = arrays("spectrum_pixels", spectrum_id=spectrum_id)
    if found.num_rows == 0:
        return problem(f"There is no spectrum {spectrum_id}.", 404)
    stored = {name: _values(found, name) for name in _PIXELS}
    if stored["wavelength"].size < 2:
        return problem("It has fewer than two pixels, so that there is nothing to draw.", 404)
    whole = (float(stored["wavelength"][0]), float(stored["wavelength"][-1]))
    span = (whole[0] if first is None else first, whole[1] if last is None else last)
    if not span[0] < span[1]:
        return problem(f"The first wavelength must be before the last, got {span[0]} and {span[1]}.", 400)
    quantile = found["quantile"][0]
    density = density_of(np.asarray(quantile.values, np.float64)) if quantile.is_valid else None
    document = {
        "span": span, "whole": whole, "z": found["z"][0].as_py(), "density": density,
        "lines": calculation("spectral_lines")(),
    }  # fmt: skip
    return json_response(document | shown_pixels(stored, span, columns))


def spectra_of(object_id: int) -> list[dict[str, Any]]:
    """Spectra of an object for its page, each with the path of a small picture."""
    found = rows("object_spectra", object_id=object_id, most=_MOST)
    for one in found:
        wavelength, flux = (np.array(one.pop(name), np.float64) for name in ("wavelength", "flux"))
        one["picture"] = small_picture(wavelength, flux, np.array(one.pop("mask")))
    return found


def _values(table: Any, name: str) -> npt.NDArray[Any]:
    """Array in the first row of a column."""
    return np.asarray(table[name][0].values)
