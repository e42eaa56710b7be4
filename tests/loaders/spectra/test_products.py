"""Products of spectra, made by the command line, read by asdf and pyarrow, held against the database."""

from __future__ import annotations

from pathlib import Path

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy import units as u

from tests.faults.command_line import roman_db, succeed
from tests.faults.databases import copied_from
from tests.roman_db.conftest import execute

EXPOSURE = "r0000101001001002001_0001_wfi03_prism"
PROGRAM = "r00001_p_prism_0001"
_EXTRACTED = f"""
FROM roman.spectral_extraction AS x JOIN roman.exposure AS e USING (exposure_id)
JOIN roman.{{}} AS t USING (spectral_extraction_id) JOIN roman.object AS o USING (object_id)
WHERE x.superseded_at IS NULL AND e.filename = '{EXPOSURE}_cal.asdf'
"""
#: Rows as they are stored, by product: file, columns that are compared, and the rest of the query.
STORED = {
    "spec_location_table": (
        EXPOSURE,
        "object_id, o.ra, o.dec, spectral_order, x, y, x_first, y_first, x_last, y_last, wavelength_min, "
        "wavelength_max, fraction_on_detector, overlap_fraction, flags",
        _EXTRACTED.format("spectrum_location") + "ORDER BY object_id, spectral_order",
    ),
    "spec_individual_1d": (
        EXPOSURE,
        "object_id, o.ra, o.dec, warning, t.reason, n_pixel, wavelength, flux, flux_err, contamination, "
        "contamination_median, snr, lsf_fwhm",
        _EXTRACTED.format("exposure_spectrum") + "ORDER BY object_id",
    ),
    "spec_dqa_2d": (
        EXPOSURE,
        "metric, value, lower, upper, verdict",
        "FROM ops.quality_metric AS t JOIN roman.exposure AS e USING (exposure_id) "
        f"WHERE e.filename = '{EXPOSURE}_cal.asdf' ORDER BY metric",
    ),
    "spec_combined_1d": (
        PROGRAM,
        "object_id, spectrum_id, ra, dec, n_exposure, n_pixel, wavelength, flux, flux_err, mask, resolution",
        "FROM roman.spectrum AS t WHERE superseded_at IS NULL ORDER BY object_id",
    ),
    "spec_catalog": (
        PROGRAM,
        "object_id, spectrum_id, ra, dec, n_exposure, z, z_err, class_name, subclass, reliability, warning, "
        "t.reason, probability, chi2, chi2_scale, delta_chi2, t.n_pixel, quantile",
        "FROM roman.spectrum AS s JOIN roman.redshift AS t USING (spectrum_id) "
        "WHERE superseded_at IS NULL ORDER BY object_id",
    ),
}
LINES = """
SELECT spectrum_id, line_name, wavelength, line_flux, line_flux_err, line_flux_limit, equivalent_width,
       equivalent_width_err, snr
FROM roman.line_measurement
"""


def names_of(columns: str) -> list[str]:
    return [column.strip().rpartition(".")[2] for column in columns.split(",")]


def same(found: object, stored: object) -> bool:
    """Whether a value is that of the database, numbers to the last bit of single precision."""
    if isinstance(stored, list | float) and found is not None:
        found, stored = np.asarray(found, np.float64), np.asarray(stored, np.float64)
        return found.shape == stored.shape and np.allclose(found, stored, rtol=1e-7, atol=0, equal_nan=True)
    return bool(found == stored)


def exported(folder, product: str, *words: object) -> None:
    succeed("export", "product", product, "--to", folder, *words)


def keywords(path) -> dict[str, str]:
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
    return {k.removeprefix("roman.meta."): v for k, v in metadata.items() if k.startswith("roman.meta.")}


@pytest.fixture(scope="module")
def made(cluster_url, spectra_template, tmp_path_factory):
    """Folder with all products of the spectra, and the URL of their database."""
    folder = tmp_path_factory.mktemp("products")
    with (
        pytest.MonkeyPatch.context() as patch,
        copied_from(cluster_url, spectra_template, patch) as url,
    ):
        for product in (*STORED, "spec_decontam_2d", "spec_catalog_dqa"):
            exported(folder, product)
        yield folder, url


@pytest.mark.parametrize("product", STORED)
def test_a_product_is_what_is_stored(made, product):
    folder, url = made
    stem, columns, rest = STORED[product]
    table = pq.read_table(folder / f"{stem}_{'p_' if stem == EXPOSURE else ''}{product}.parquet")
    stored = execute(url, f"SELECT {columns} {rest}")
    names = names_of(columns)
    assert table.num_rows == len(stored) > 0
    for found, expected in zip(table.to_pylist(), stored, strict=True):
        assert [
            name for name, value in zip(names, expected, strict=True) if not same(found[name], value)
        ] == []


def test_the_catalog_has_each_line_of_each_spectrum(made):
    folder, url = made
    table = pq.read_table(folder / f"{PROGRAM}_spec_catalog.parquet").to_pylist()
    stored = {(row[0], row[1]): row[2:] for row in execute(url, LINES)}
    columns = ("line_wavelength", "line_flux", "line_flux_err", "line_flux_limit", "line_equivalent_width",
               "line_equivalent_width_err", "line_snr")  # fmt: skip
    found = {
        (row["spectrum_id"], name): tuple(row[column][k] for column in columns)
        for row in table
        for k, name in enumerate(row["line_name"])
        if not np.isnan(row["line_flux"][k])
    }
    assert found.keys() == stored.keys()
    for key, values in found.items():
        expected = [np.nan if value is None else value for value in stored[key]]
        assert np.allclose(values, expected, rtol=1e-7, equal_nan=True), key
    assert all(row["line_wavelength"] == sorted(row["line_wavelength"]) for row in table)


def test_the_second_redshift_is_the_likeliest_alternative(made):
    folder, url = made
    table = pq.read_table(folder / f"{PROGRAM}_spec_catalog.parquet").to_pylist()
    stored = execute(url, "SELECT spectrum_id, z, probability FROM roman.redshift_alternative WHERE rank = 2")
    found = [(row["spectrum_id"], row["second_z"], row["second_probability"]) for row in table]
    assert sorted(row for row in found if row[1] is not None) == sorted(stored)


def test_cutouts_and_what_was_taken_off_are_the_exposure(made, prism_field):
    """Light of the object, of others and of the sky are together what the pixels have."""
    folder, url = made
    table = pq.read_table(folder / f"{EXPOSURE}_p_spec_decontam_2d.parquet").to_pylist()
    with asdf.open(prism_field / f"{EXPOSURE}_cal.asdf") as file:
        data = np.array(file["roman"]["data"], np.float64) * 1.8
    sky = execute(url, f"SELECT sky_rate {_EXTRACTED.format('exposure_spectrum')} LIMIT 1")[0][0]
    spectra = execute(
        url,
        f"SELECT object_id, wavelength, contamination_median {_EXTRACTED.format('exposure_spectrum')} "
        "AND n_pixel > 0 ORDER BY 1",
    )
    assert [row["object_id"] for row in table] == [row[0] for row in spectra]
    for row, (_, wavelength, contamination) in zip(table, spectra, strict=True):
        shape = row["n_y"], row["n_x"]
        part = (slice(row["y_corner"], row["y_corner"] + shape[0]),
                slice(row["x_corner"], row["x_corner"] + shape[1]))  # fmt: skip
        rate, other, profile, variance = (
            np.reshape(row[name], shape) for name in ("rate", "other_rate", "profile", "variance")
        )
        used = np.isfinite(rate)
        assert used.mean() > 0.9
        assert np.allclose((rate + other + sky)[used], data[part][used], atol=1e-4)
        assert np.nanmin(variance) > 0
        assert np.sort(row["row_wavelength"]).tolist() == wavelength
        assert profile.sum(axis=1).max() == pytest.approx(1, abs=0.05)
        assert row["contamination_median"] == pytest.approx(contamination)


def test_the_quality_of_the_catalog_is_that_of_its_rows(made):
    folder, _ = made
    catalog = pq.read_table(folder / f"{PROGRAM}_spec_catalog.parquet").to_pylist()
    found = {
        row["metric"]: row
        for row in pq.read_table(folder / f"{PROGRAM}_spec_catalog_dqa.parquet").to_pylist()
    }
    reliability = [row["reliability"] for row in catalog]
    assert {name: row["value"] for name, row in found.items()} == pytest.approx(
        {
            "redshift_spectra": len(catalog),
            "redshift_fitted_fraction": np.mean([row["z"] is not None for row in catalog]),
            "redshift_reliability_mean": np.mean(reliability),
            "redshift_reliable_fraction": np.mean(np.array(reliability) > 0.9),
            "redshift_ambiguous_fraction": np.mean([bool(row["warning"] & 64) for row in catalog]),
            "redshift_poor_fit_fraction": np.mean([bool(row["warning"] & 256) for row in catalog]),
            "redshift_exposures_mean": np.mean([row["n_exposure"] for row in catalog]),
            "redshift_stale_fraction": 0,
        }
    )
    assert found["redshift_fitted_fraction"]["verdict"] == "good"
    assert found["redshift_spectra"]["verdict"] == "unlimited"


def test_asdf_has_what_parquet_has(made):
    """Where lists of Parquet are shorter than others, NaN stands behind them."""
    folder, _ = made
    paths = sorted(folder.glob("*.asdf"))
    assert len(paths) == 4 * 2 + 3
    for path in paths:
        table = pq.read_table(path.with_suffix(".parquet"))
        with asdf.open(path) as file:
            roman = file["roman"]
            meta = {name: str(value) for name, value in roman["meta"].items()}
            others = {"filename": path.name, "file_date": meta["file_date"]}
            assert meta == keywords(path.with_suffix(".parquet")) | others
            product = path.stem[path.stem.index("spec_") :]
            once = roman["lines"].colnames if product == "spec_catalog" else []
            assert sorted([*roman[product].colnames, *once]) == sorted(table.column_names)
            for field in table.schema:
                column = roman["lines" if field.name in once else product][field.name]
                unit = field.metadata[b"unit"].decode()
                assert column.unit == (None if unit == "None" else u.Unit(unit))
                rows = [column] * table.num_rows if field.name in once else column
                assert all(map(holds, rows, table[field.name].to_pylist())), (path.name, field.name)


def holds(found: object, expected: object) -> bool:
    """Whether a value of ASDF is one of Parquet."""
    if expected is None:
        return found is np.ma.masked or bool(np.isnan(found))
    if isinstance(expected, list) and expected and isinstance(expected[0], float):
        padded = np.full(np.shape(found), np.nan)
        padded[: len(expected)] = expected
        expected = padded
    is_number = np.asarray(found).dtype.kind == "f"
    return bool(np.array_equal(np.asarray(found), np.asarray(expected), equal_nan=is_number))


def test_all_keywords_of_an_exposure_are_true(made, prism_field):
    folder, url = made
    with asdf.open(prism_field / f"{EXPOSURE}_cal.asdf") as file:
        meta = file["roman"]["meta"]
        start, end = meta["exposure"]["start_time"], meta["exposure"]["end_time"]
        exptime, region, angle = (
            meta["exposure"]["exposure_time"], meta["wcsinfo"]["s_region"], meta["wcsinfo"]["v3yangle"],
        )  # fmt: skip
    found = keywords(folder / f"{EXPOSURE}_p_spec_location_table.parquet")
    assert float(found.pop("visit_start_time_mjd")) == pytest.approx(start.utc.mjd, abs=1e-8)
    assert float(found.pop("visit_end_time_mjd")) == pytest.approx(end.utc.mjd, abs=1e-8)
    assert float(found.pop("exptime")) == pytest.approx(exptime)
    run, code = execute(
        url,
        "SELECT CAST(load_run_id AS text), code_version FROM roman.spectral_extraction JOIN ops.load_run "
        "USING (load_run_id) LIMIT 1",
    )[0]
    del found["file_date"]
    assert found == {
        "filename": f"{EXPOSURE}_p_spec_location_table.parquet", "instrument": "WFI", "origin": "IPAC/SSC",
        "program": "1", "program_complete": "False", "data_release_id": "", "s_region": region,
        "optical_element": "prism", "dither": "1", "detector": "WFI03", "num_src": "3",
        "optical_model": "geometry.asdf", "v3yangle": str(float(angle)), "version_g2dp_software": code,
        "g2dp_run_id": run, "segment": "1", "visit": "1", "observation_id": "0000101001001002001",
    }  # fmt: skip
    found = keywords(folder / f"{EXPOSURE}_p_spec_individual_1d.parquet")
    references = execute(url, "SELECT max(calibration_reference_id) FROM roman.calibration_reference")
    assert found["cdp_ctx"] == str(references[0][0])
    assert (found["unit_flux"], found["unit_wl"]) == ("10**-20.W.m**-2.um**-1", "um")
    units = {
        field.name: field.metadata[b"unit"].decode()
        for field in pq.read_schema(folder / f"{EXPOSURE}_p_spec_individual_1d.parquet")
    }
    assert (units["flux"], units["wavelength"]) == (found["unit_flux"], found["unit_wl"])
    shortest, longest = map(float, found["wl_snr_global_range"].strip("[]").split(","))
    assert 0.7 < shortest < 0.8 < 1.7 < longest < 1.9
    with asdf.open(prism_field / "geometry.asdf") as file:
        (tree,) = (value for key, value in file.tree.items() if key not in ("asdf_library", "history"))
        assert float(found["wl_reference"]) == tree["reference_wavelength"]


def test_a_file_of_a_data_release_of_a_finished_program_says_so(made, spectra, tmp_path):
    exported(tmp_path, "spec_catalog", "--processing-id", "r03", "--program-complete", "--program", 1)
    found = keywords(tmp_path / "r00001_r03_prism_0001_spec_catalog.parquet")
    assert (found["data_release_id"], found["program_complete"], found["file_number"]) == ("r03", "True", "1")
    newest = execute(spectra, "SELECT max(spectrum_id) FROM roman.spectrum")[0][0]
    assert found["catalog_id"] == str(newest)
    rows = execute(spectra, "SELECT filename, program_complete, catalog_id FROM archive.WFISpecCatalog")
    assert sorted(rows) == [
        (f"r00001_r03_prism_0001_spec_catalog.{suffix}", "T", newest) for suffix in ("asdf", "parquet")
    ]


def test_every_file_has_its_row_in_the_archive(made):
    folder, url = made
    rows = [
        name
        for table in ("WFISpec", "WFISpecCatalog", "WFISpecLocation")
        for (name,) in execute(url, f"SELECT filename FROM archive.{table}")
    ]
    assert sorted(rows) == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("spec_catalog", "--program", 2), "there is nothing of program 2"),
        (("spec_combined_1d", "--file-number", 2), "there is nothing of file_number 2"),
        (("spec_individual_1d", "--exposure", "r0"), "there is nothing of exposure r0"),
        (("spec_dqa_2d", "--season", 1), "it is of all there are: leave out --season"),
        (("spec_dqa_2d", "--kind", "dia"), "it does not depend on it: leave out --kind"),
        (("event_catalog", "--season", 0, "--program-complete"), "leave out --program-complete"),
        (("spec_catalog", "--processing-id", "r003"), "data_release_id: 'r003' is too long"),
    ],
)
def test_what_cannot_be_is_said(spectra, tmp_path, words, said):
    outcome = roman_db("export", "product", *words, "--to", tmp_path)
    assert outcome.code == 1
    assert said in outcome.err + outcome.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["gone", "changed", "unkept", "others"])
def test_cutouts_that_are_not_those_of_the_database_are_not_delivered(spectra, tmp_path, fault):
    path, *_ = execute(spectra, "SELECT cutout_path FROM roman.spectral_extraction ORDER BY 1")[0]
    said = {
        "gone": f"{tmp_path / 'cut.parquet'}: No such file",
        "changed": "is not the file that was registered",
        "unkept": "extract its spectra again",
        "others": "its objects are not those of the database",
    }[fault]
    copy = tmp_path / "cut.parquet"
    if fault != "gone":
        copy.write_bytes(Path(path).read_bytes() + (b"x" if fault == "changed" else b""))
    changes = {
        "unkept": "UPDATE roman.spectral_extraction SET cutout_path = NULL",
        "others": "DELETE FROM roman.spectrum_location "
        "WHERE object_id = (SELECT min(object_id) FROM roman.object)",
    }
    execute(
        spectra, f"UPDATE roman.spectral_extraction SET cutout_path = '{copy}' WHERE cutout_path = '{path}'"
    )
    execute(spectra, changes.get(fault, "SELECT 1"))
    outcome = roman_db(
        "export", "product", "spec_decontam_2d", "--exposure", EXPOSURE, "--to", tmp_path / "out"
    )
    assert outcome.code == 1
    assert said in outcome.err + outcome.out
    assert list((tmp_path / "out").iterdir()) == []


def test_an_exposure_without_spectra_costs_itself_alone(spectra, tmp_path):
    first = "(SELECT min(spectral_extraction_id) FROM roman.spectral_extraction)"
    execute(
        spectra,
        "UPDATE roman.exposure_spectrum SET n_pixel = 0, reason = 'off' "
        f"WHERE spectral_extraction_id = {first}",
    )
    outcome = roman_db("export", "product", "spec_decontam_2d", "--to", tmp_path)
    assert outcome.code == 1
    assert f"  exposure {EXPOSURE}: there is no spectrum on it" in outcome.err + outcome.out
    other = EXPOSURE.replace("_0001_wfi", "_0002_wfi")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{other}_p_spec_decontam_2d.{suffix}" for suffix in ("asdf", "parquet")
    }
