"""A spectrum in its formats, read by others: astropy, pyarrow, and our own loader."""

from __future__ import annotations

import io

import numpy as np
import pytest
import pyvo
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import Table
from pyarrow import parquet

from loaders.redshift.read import Stated, read_spectra
from roman_db.tap.formats.choice import chosen_format
from roman_db.vo.spectrum_document import spectrum_file
from tests.roman_db import spectra as filling

FLUX_UNIT = 1e-20 * u.W / u.m**2 / u.um


def same_pixels(table: Table) -> None:
    """A table has the pixels of the galaxy."""
    assert np.array_equal(np.asarray(table["wavelength"]), filling.wavelengths())
    flux = np.ma.filled(np.ma.asarray(table["flux"]), np.nan)
    assert np.array_equal(flux, filling.fluxes(), equal_nan=True)
    assert np.flatnonzero(np.asarray(table["mask"])).tolist() == list(range(*filling.MASKED.indices(861)))
    assert np.asarray(table["resolution"])[0] == pytest.approx(461)


def test_a_votable_is_a_spectrum_of_the_model(get, valid, spectra):
    answer = get("ssa/data", ID=f"spectrum/{spectra.galaxy}")
    valid(answer.content)
    table = parse(io.BytesIO(answer.content)).get_first_table()
    assert table.utype == "spec:Spectrum"
    assert [one.utype.removeprefix("spec:Spectrum.Data.") for one in table.fields] == [
        "SpectralAxis.Value", "FluxAxis.Value", "FluxAxis.Accuracy.StatError", "FluxAxis.Quality",
        "SpectralAxis.ResPower",
    ]  # fmt: skip
    said = {one.utype.removeprefix("spec:Spectrum."): one.value for one in table.params}
    assert said["Target.Name"] == filling.GALAXY
    assert said["Derived.Redshift.Value"] == filling.Z
    assert said["Char.TimeAxis.Coverage.Location.Value"] == pytest.approx(filling.START + 0.05)
    assert said["Char.SpectralAxis.Coverage.Bounds.Stop"] == pytest.approx(1.93)
    assert said["Length"] == filling.N_PIXEL
    same_pixels(table.to_table())
    read = Table.read(io.BytesIO(answer.content), format="votable")
    assert (1 * read["flux"].unit).to_value(FLUX_UNIT) == pytest.approx(1)


def test_a_flux_whose_scale_is_not_known_has_no_unit(get, valid, spectra):
    answer = get("ssa/data", ID=f"spectrum/{spectra.star}")
    valid(answer.content)
    table = parse(io.BytesIO(answer.content)).get_first_table()
    assert {one.name: one.unit for one in table.fields}["flux"] is None
    assert "resolution" not in {one.name for one in table.fields}
    said = {one.name: one.value for one in table.params}
    assert said["flux_calibration"] == "UNCALIBRATED"
    assert not {"flux_unit", "flux_si"} & set(said)


def test_what_is_not_known_is_left_out(get, valid, spectra):
    answer = get("ssa/data", ID=f"spectrum/{spectra.unfitted}")
    valid(answer.content)
    said = {one.name for one in parse(io.BytesIO(answer.content)).get_first_table().params}
    assert not {"z", "t_mid", "position", "instrument", "target_class"} & said


def test_fits_is_read_by_astropy_with_units(get, spectra):
    answer = get("ssa/data", ID=f"spectrum/{spectra.galaxy}", RESPONSEFORMAT="fits")
    assert answer.headers["content-type"] == "application/fits"
    with fits.open(io.BytesIO(answer.content)) as file:
        file.verify("exception")
        header = file[1].header
        assert header["OBJECT"] == filling.GALAXY
        assert (header["TELESCOP"], header["MJD-BEG"]) == ("Roman", filling.START)
        assert header["TUTYP2"] == "Spectrum.Data.FluxAxis.Value"
    table = Table.read(io.BytesIO(answer.content), format="fits", hdu=1)
    same_pixels(table)
    assert (1 * table["flux"].unit).to_value(FLUX_UNIT) == pytest.approx(1)
    assert table["wavelength"].unit == u.um


@pytest.mark.parametrize("name", ["galaxy", "star", "unfitted"])
def test_fits_can_be_loaded_again_as_it_was(get, spectra, tmp_path, name):
    """By our own loader, which reads it as it reads those of any telescope."""
    path = tmp_path / "spectrum.fits"
    path.write_bytes(get("ssa/data", ID=f"spectrum/{getattr(spectra, name)}", FORMAT="fits").content)
    (read,) = read_spectra(path, Stated())
    wave = filling.wavelengths() * (0.4 if name == "star" else 1)
    assert read.wavelength == pytest.approx(wave * 1e4, rel=1e-12)
    assert read.flux == pytest.approx(filling.fluxes(), rel=1e-6, nan_ok=True)
    assert read.mask.sum() == 10
    assert bool(read.flux_unit) == (name != "star")
    assert (read.resolution is None) == (name != "galaxy")
    seen = read.observation
    if name == "unfitted":
        assert (seen.facility, seen.start_mjd_utc, read.ra) == (None, None, None)
    else:
        assert seen.exposure_time == filling.EXPOSURE
        assert seen.end_mjd_utc == pytest.approx(seen.start_mjd_utc + 0.1)


def test_parquet_and_csv_have_the_pixels(get, spectra):
    given = {"ID": f"ivo://roman.ssc/msos?spectrum/{spectra.galaxy}"}
    content = get("ssa/data", **given, RESPONSEFORMAT="parquet").content
    same_pixels(Table.from_pandas(parquet.read_table(io.BytesIO(content)).to_pandas()))
    answer = get("ssa/data", **given, RESPONSEFORMAT="csv")
    assert len(Table.read(answer.text, format="ascii.csv")) == filling.N_PIXEL
    assert f"roman_spectrum_{spectra.galaxy}.csv" in answer.headers["content-disposition"]


def test_access_urls_lead_to_the_spectra_in_the_format_that_was_asked_for(address, spectra):
    service = pyvo.dal.SSAService(f"{address}/ssa")
    for asked, first in (("compliant", b"<?xml"), ("fits", b"SIMPLE  =")):
        (row,) = service.search(TARGETCLASS="GALAXY", format=asked)
        assert row.acref.startswith(f"{address}/ssa/data?")
        content = service._session.get(row.acref).content
        assert content.startswith(first)
        assert row.filesize == pytest.approx(len(content), rel=0.5)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({}, 400, "ID must name a spectrum, such as spectrum/12, got ''"),
        ({"ID": "event/1"}, 400, "ID must name a spectrum"),
        ({"ID": "spectrum/999999"}, 404, "there is no spectrum 999999"),
        ({"ID": "spectrum/1", "RESPONSEFORMAT": "jpeg"}, 400, "RESPONSEFORMAT 'jpeg' is not known"),
    ],
)
def test_errors_say_what_is_wrong(get, valid, given, status, words):
    answer = get("ssa/data", **given)
    assert answer.status_code == status
    valid(answer.content)
    (info,) = parse(io.BytesIO(answer.content)).iter_info()
    assert words in info.content


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", ["votable", "fits", "csv"])
def test_a_spectrum_of_one_pixel_or_none_is_a_file_too(number, name):
    nothing = ("object_id", "ra", "dec", "facility_name", "instrument_name", "start_mjd_utc", "end_mjd_utc",
               "exposure_time", "z", "z_err", "class_name", "reliability", "resolution")  # fmt: skip
    facts = dict.fromkeys(nothing) | {
        "spectrum_id": 1, "spectrum_name": "é", "flux_is_absolute": True, "wavelength": [1.5] * number,
        "flux": [2.0] * number, "flux_err": [0.1] * number, "mask": [0] * number,
    }  # fmt: skip
    content = io.BytesIO(spectrum_file(facts, chosen_format(name)))
    formats = {"csv": "ascii.csv"}
    assert len(Table.read(content, format=formats.get(name, name))) == number


def test_an_earlier_version_can_still_be_had(get, spectra):
    content = get("ssa/data", ID=f"spectrum/{spectra.earlier}").content
    table = Table.read(io.BytesIO(content), format="votable")
    assert table["flux"][0] == pytest.approx(0.9 * filling.fluxes()[0])
