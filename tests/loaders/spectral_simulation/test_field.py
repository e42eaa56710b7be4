"""A simulated field: its light, its files, and what extraction makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.geometry import Camera
from loaders.spectral_extraction.commands import spectral_extraction
from loaders.spectral_simulation.commands import simulate_spectra
from loaders.spectral_simulation.expected import dispersed_image, images_of_sources
from loaders.spectral_simulation.field import changed_parameters
from loaders.spectral_simulation.simulate import nominal_instrument, simulate_field, write_field
from loaders.wfi.level2 import read_level2

SMALL = {
    "optical_element": "PRISM",
    "detector": "WFI03",
    "window": {"x": 1900, "y": 1900, "width": 130, "height": 420},
    "sources": 4,
    "star_fraction": 0.5,
    "magnitude": [18.5, 19.5],
    "seed": 5,
}


@pytest.fixture(scope="module")
def field():
    return simulate_field(changed_parameters(SMALL))


@pytest.fixture(scope="module")
def folder(field, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectra")
    return folder, {
        path.name.split("_")[-2]: path for path in write_field(field, folder) if "cal" in path.name
    }


def test_light_in_pixels_is_that_of_the_spectra(field):
    """The sum of the dispersed image of a source in its middle is the integral over wavelength."""
    middle = replace(field.sources, **{"x": np.full(4, 35.2), "y": np.full(4, 210.7)})
    camera = Camera.of(field.survey)
    psf = optical_psf("WFI03", "F158", *(np.array([value]) for value in camera.centre), OpticsSettings())
    images = images_of_sources(middle, psf, camera.centre, camera.jacobian(camera.attitude((0.0, 0.0))))
    instrument = nominal_instrument("WFI03", "PRISM", (1900, 1900))
    wavelength, curve = np.linspace(0.72, 1.85, 20_001), instrument.sensitivity[1]
    total = sum(
        np.trapezoid(middle.spectrum(row, wavelength) * curve.at(wavelength), wavelength) for row in range(4)
    )
    assert dispersed_image(middle, images, instrument, (420, 130)).sum() == pytest.approx(total, rel=0.005)


def test_files_are_valid_and_say_what_they_are(folder):
    _, paths = folder
    dispersed, direct = (read_level2(paths[name]) for name in ("prism", "f158"))
    assert dispersed.metadata.optical_element == "PRISM"
    assert dispersed.shape == direct.shape == (420, 130)


def run(*arguments):
    return CliRunner().invoke(spectral_extraction, [str(argument) for argument in arguments])


def test_spectra_come_back_out_of_the_files(folder, field):
    """Of sources whose shapes the direct image shows whole, where little of others is in their light."""
    where, paths = folder
    arguments = paths["prism"], paths["f158"], where / "truth.parquet", where / "spectra.parquet"
    result = run("extract", *arguments, "--reference", where / "geometry.asdf")
    assert result.exit_code == 0, result.output
    found = pq.read_table(where / "spectra.parquet").to_pylist()
    assert len(found) == 4
    compared = 0
    for row in found:
        wavelength = np.array(row["wavelength"])
        truth = field.sources.spectrum(row["source_id"], wavelength)
        middle = (wavelength > 0.9) & (wavelength < 1.7)
        clear = np.array(row["contamination"])[middle] < 0.2
        place = field.sources.x[row["source_id"]], field.sources.y[row["source_id"]]
        whole = 13 < place[0] < 116 and 13 < place[1] < 406
        if whole and clear.sum() > 30:
            compared += 1
            ratio = (np.array(row["flux_density"]) / truth)[middle][clear]
            assert np.nanmedian(ratio) == pytest.approx(1.0, abs=0.05)
    assert compared >= 1


def test_the_location_table_has_all_sources(folder):
    where, paths = folder
    result = run("locate", paths["prism"], where / "truth.parquet", where / "places.parquet")
    assert result.exit_code == 0, result.output
    assert pq.read_table(where / "places.parquet")["source_id"].to_pylist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exposure": "f158"}, "it was taken through F158"),
        ({"reference": "nominal-grism"}, "it is of GRISM, the exposure of PRISM"),
        ({"catalog": "words"}, "source_id, ra and dec"),
        ({"catalog": "missing"}, "no such file"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(folder, change, said):
    where, paths = folder
    (where / "words").write_text("no table")
    arguments = {
        "catalog": "truth.parquet",
        "exposure": "prism",
        "reference": where / "geometry.asdf",
    } | change
    result = run(
        *("locate", paths[arguments["exposure"]], where / arguments["catalog"], where / "out.parquet"),
        *("--reference", arguments["reference"]),
    )
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_source_without_light_keeps_its_row_and_a_reason(folder):
    where, paths = folder
    catalog = pa.table({"source_id": [7], "ra": [200.0], "dec": [10.0]})
    pq.write_table(catalog, where / "elsewhere.parquet")
    result = run(
        "extract", paths["prism"], paths["f158"], where / "elsewhere.parquet", where / "none.parquet"
    )
    assert result.exit_code == 0, result.output
    assert pq.read_table(where / "none.parquet")["reason"].to_pylist() == ["no light in the direct image"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optical_element: F158", "must be GRISM or PRISM, got 'F158'"),
        ("colour: red", "unknown keys ['colour']"),
    ],
)
def test_wrong_parameters_are_named(tmp_path, text, said):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    result = CliRunner().invoke(simulate_spectra, [str(tmp_path / "out"), "--parameters", str(path)])
    assert result.exit_code == 1
    assert said in result.output
