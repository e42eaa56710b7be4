"""What is the same in a file and in the database, and how a difference is told."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from roman_db.archive.catalog_columns import as_arrays, band_of, differences, file_columns


def test_names_have_the_band_where_rad_has_it():
    given = as_arrays(
        pa.table(
            {
                "psf_flux": pa.array([1.0], pa.float32()),
                "psf_flux_err": pa.array([1.0], pa.float32()),
                "psf_gof": pa.array([1.0], pa.float32()),
                "ra_psf_err": pa.array([1.0], pa.float32()),
                "aper_flux_err": pa.array([[1.0, 2.0]], pa.list_(pa.float32())),
                "matched_flux": pa.array([[3.0, 4.0]], pa.list_(pa.float32())),
                "matched_kron_flux": pa.array([5.0], pa.float32()),
            }
        )
    )
    of_several = file_columns(given, band_of("F158", "F213", [0.1, 1.6]))
    assert {name: float(values[0]) for name, values in of_several.items()} == {
        "psf_f158_flux": 1, "psf_f158_flux_err": 1, "psf_gof_f158": 1, "ra_psf_f158_err": 1,
        "aper01_f158_flux_err": 1, "aper16_f158_flux_err": 2, "aper01_f158mf213_flux": 3,
        "aper16_f158mf213_flux": 4, "kron_f158mf213_flux": 5,
    }  # fmt: skip
    of_one = file_columns(given, band_of("F158", None, [0.1, 1.6]))
    assert set(of_one) == {
        "psf_flux", "psf_flux_err", "psf_gof", "ra_psf_err", "aper01_flux_err", "aper16_flux_err",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "stored", "reasons"),
    [
        ([0.1, np.nan], pa.array([0.1, None], pa.float32()), []),
        (
            [0.1, 2.0],
            pa.array([0.1, None], pa.float32()),
            ["x: 1 of 2 rows differ from those of the database"],
        ),
        ([np.nextafter(0.1, 1)], pa.array([0.1]), ["x: 1 of 1 rows differ from those of the database"]),
        ([-1, 3], pa.array([None, 3]), []),
        ([0, 3], pa.array([None, 3]), ["x: 1 of 2 rows differ from those of the database"]),
        ([True], pa.array([False]), ["x: 1 of 1 rows differ from those of the database"]),
        ([1], pa.array([1, 2]), ["x: 1 rows in the file, 2 in the database"]),
        (None, pa.array([1.0]), ["x: the file has no such column"]),
        (None, pa.array([None], pa.float32()), []),
        (None, pa.array([None], pa.int32()), []),
    ],
)
def test_differences_are_told(file, stored, reasons):
    given = {} if file is None else {"x": np.array(file)}
    assert list(differences(given, as_arrays(pa.table({"x": stored})))) == reasons
