"""Columns found by name, by UCD or by hand; units converted or refused."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table
from astropy.time import Time

from loaders.catalog.mapping import CatalogMapping, apply_mapping, check_mapping, needed_columns
from loaders.catalog.mapping_file import read_mapping
from loaders.catalog.read import Chunk, open_catalog, read_chunks
from loaders.catalog.recognise import recognise
from loaders.catalog.sources import Sources
from loaders.rejection import Rejected

FORMATS = ("parquet", "fits", "votable", "ecsv")
ELEMENTS = ("F087", "F146", "F213")


def sources_of(path, mapping: CatalogMapping | None = None) -> Sources:
    reader = open_catalog(path)
    mapping = mapping or recognise(reader.file, ELEMENTS)
    check_mapping(mapping, reader.file)
    (chunk,) = read_chunks(reader, needed_columns(mapping))
    return apply_mapping(chunk, mapping, reader.file)


def gaia(units: bool = True) -> Table:
    n = 5
    out = Table(
        {
            "source_id": 4_000_000_000_000_000_001 + np.arange(n),
            "ra": np.linspace(267, 268, n),
            "ra_error": np.full(n, 0.1),
            "dec": np.linspace(-29, -28, n),
            "dec_error": np.full(n, 0.2),
            "pmra": MaskedColumn(np.arange(n) - 2.0, mask=np.arange(n) == 4),
            "pmra_error": np.full(n, 0.05),
            "pmdec": np.arange(n) * 3.0,
            "pmdec_error": np.full(n, 0.06),
            "parallax": np.full(n, 0.12),
            "parallax_error": np.full(n, 0.03),
            "ref_epoch": np.full(n, 2016.0),
        }
    )
    if units:
        names = {"deg": ("ra", "dec"), "yr": ("ref_epoch",)}
        names["mas"] = ("ra_error", "dec_error", "parallax", "parallax_error")
        names["mas/yr"] = ("pmra", "pmdec", "pmra_error", "pmdec_error")
        for unit, columns in names.items():
            for name in columns:
                out[name].unit = unit
    return out


@pytest.mark.parametrize("units", [True, False])
@pytest.mark.parametrize("kind", FORMATS)
def test_gaia(write_catalog, kind, units):
    written = gaia(units)
    sources = sources_of(write_catalog(written, kind))
    assert sources.source_id[0] == "4000000000000000001"
    theirs_by_ours = {"ra_err": "ra_error", "pm_dec": "pmdec", "pm_dec_err": "pmdec_error"}
    for ours in ("ra", "dec", "ra_err", "pm_dec", "pm_dec_err", "parallax", "ref_epoch"):
        theirs = theirs_by_ours.get(ours, ours)
        assert np.allclose(getattr(sources, ours), written[theirs], rtol=1e-14)
    assert np.isnan(sources.pm_ra).tolist() == [False] * 4 + [True]
    assert sources.row.tolist() == list(range(5))


def test_units_of_the_file_win_over_those_of_the_family(write_catalog):
    table = gaia()
    table["pmra"].unit = "arcsec/yr"
    table["ra_error"].unit = "arcsec"
    sources = sources_of(write_catalog(table, "parquet"))
    assert np.allclose(sources.pm_ra[:2], [-2000, -1000])
    assert np.allclose(sources.ra_err, 100)


def test_columns_by_ucd(write_catalog):
    names = {"a": ("deg", "pos.eq.ra;meta.main"), "d": ("rad", "pos.eq.dec;meta.main"),
             "mu": ("mas/yr", "pos.pm;pos.eq.ra"), "t": ("yr", "meta.ref;time.epoch"),
             "key": (None, "meta.id;meta.main")}  # fmt: skip
    table = Table({name: Column([0.5], unit=unit, meta={"ucd": ucd}) for name, (unit, ucd) in names.items()})
    table["t"][:] = 2010.5
    sources = sources_of(write_catalog(table, "votable"))
    assert (sources.ra[0], sources.pm_ra[0], sources.ref_epoch[0]) == (0.5, 0.5, 2010.5)
    assert sources.dec[0] == pytest.approx(np.degrees(0.5))
    assert sources.source_id[0] == "0.5"


def test_right_ascension_in_hours_by_unit(write_catalog):
    table = Table({"RAJ2000": Column([12.0], unit=u.hourangle), "DEJ2000": Column([1.0], unit=u.deg)})
    assert sources_of(write_catalog(table, "ecsv")).ra[0] == pytest.approx(180.0)


def test_romanisim_fluxes_are_maggies(write_catalog):
    plain = ("ra", "dec", "n", "half_light_radius", "pa", "ba")
    table = Table({**{name: [1.0] for name in plain}, "type": ["PSF"], "F146": [1e-9], "F087": [2e-9]})
    sources = sources_of(write_catalog(table, "ecsv"))
    # Magnitude 22.5: 3631 Jy / 1e9.
    assert sources.flux["F146"][0] == pytest.approx(3631.0)
    assert set(sources.flux) == {"F146", "F087"}


def test_two_mass(write_catalog):
    row = {"designation": "17430000-2900000", "ra": 265.75, "dec": -29.0, "err_maj": 0.08, "err_min": 0.07}
    row |= {"j_m": 12.0, "h_m": 11.0, "k_m": 10.5, "jdate": 2451545.0 + 365.25}
    table = Table({name: [value] for name, value in row.items()})
    sources = sources_of(write_catalog(table, "fits"))
    assert sources.source_id[0] == "17430000-2900000"
    assert sources.ra_err[0] == sources.dec_err[0] == pytest.approx(80.0)
    assert sources.ref_epoch[0] == pytest.approx(2001.0)
    assert sources.flux == {}


@pytest.mark.parametrize(
    ("name", "unit", "value", "njy"),
    [
        ("psf_f146_flux", "nJy", 5.0, 5.0),
        ("F146", "uJy", 5.0, 5000.0),
        ("flux_f146", "Jy", 5e-9, 5.0),
        ("F146_mag", None, 22.5, 3631.0),
        ("f146_abmag", "mag", 25.0, 363.1),
        ("F146", "mag(AB)", 22.5, 3631.0),
    ],
)
def test_fluxes_by_name_and_unit(write_catalog, name, unit, value, njy):
    table = Table({"ra": Column([1.0], unit="deg"), "dec": Column([2.0], unit="deg")})
    table[name] = Column([value], unit=unit)
    sources = sources_of(write_catalog(table, "ecsv"))
    assert sources.flux["F146"][0] == pytest.approx(njy, rel=1e-4)
    assert np.isnan(sources.flux_err["F146"][0])


def test_errors_of_fluxes_and_magnitudes(write_catalog):
    table = Table({"ra": Column([1.0], unit="deg"), "dec": Column([2.0], unit="deg")})
    table["psf_f146_flux"], table["psf_f146_flux_err"] = Column([5.0], unit="uJy"), Column([40.0], unit="nJy")
    table["F087_mag"], table["F087_mag_error"] = [22.5], [0.1]
    sources = sources_of(write_catalog(table, "ecsv"))
    assert sources.flux_err["F146"][0] == pytest.approx(40.0)
    bright = 3631 * 10 ** (0.4 * 0.05) - 3631 * 10 ** (-0.4 * 0.05)
    assert sources.flux_err["F087"][0] == pytest.approx(bright, rel=1e-3)


def test_missing_numbers_are_nan(write_catalog):
    table = Table({"ra": Column([1.0, 2.0], unit="deg"), "dec": Column([2.0, 2.0], unit="deg"),
                   "F146_mag": MaskedColumn([20.0, 21.0], mask=[True, False])})  # fmt: skip
    sources = sources_of(write_catalog(table, "votable"))
    assert np.isnan(sources.flux["F146"]).tolist() == [True, False]
    assert np.isnan(sources.pm_ra).all()
    assert sources.source_id.tolist() == [None, None]
    assert sources.ref_epoch.tolist() == [2027.0, 2027.0]


def plain(**columns) -> Table:
    base = {"ra": Column([1.0], unit="deg"), "dec": Column([2.0], unit="deg")}
    return Table({**base, **{name: Column([3.0], unit=unit) for name, unit in columns.items()}})


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("table", "code", "words"),
    [
        (Table({"x": [1.0], "y": [2.0]}), "no_position_columns", "ra and dec among x, y"),
        (Table({"ra": [1.0], "dec": [2.0]}), "missing_unit", "column ra: the column has no unit"),
        (plain(pmra=None, epoch="yr"), "missing_unit", "column pmra"),
        (plain(pmra="deg", epoch="yr"), "wrong_unit", "column pmra: unit 'deg'"),
        (plain(pmra="mas/yr"), "no_epoch", "no epoch"),
        (plain(parallax="pc"), "wrong_unit", "column parallax: unit 'pc'"),
        (plain(F146="mag"), "no_zero_point", "column F146"),
        (plain(F146=None), "missing_unit", "column F146"),
        (plain(F146="deg"), "wrong_unit", "column F146"),
        (plain(F146_mag="Jy"), "wrong_unit", "column F146_mag"),
    ],
)
def test_refused_before_any_row_is_read(write_catalog, kind, table, code, words):
    file = open_catalog(write_catalog(table, kind)).file
    with pytest.raises(Rejected) as caught:
        check_mapping(recognise(file, ELEMENTS), file)
    assert caught.value.code == code, str(caught.value)
    assert words in str(caught.value)
    assert str(file.path) in caught.value.where


def test_unit_that_nobody_understands(write_catalog):
    path = write_catalog(plain(parallax="mas"), "parquet")
    file = open_catalog(path).file
    object.__setattr__(file.columns["parallax"], "unit", "furlong per fortnite")
    with pytest.raises(Rejected, match="'furlong per fortnite' is not understood") as caught:
        check_mapping(recognise(file, ELEMENTS), file)
    assert caught.value.code == "unknown_unit"


def test_text_where_numbers_belong(write_catalog):
    table = Table({"RAJ2000": Column(["17 45 40.0"], unit="deg"), "DEJ2000": Column([2.0], unit="deg")})
    with pytest.raises(Rejected, match=r"'17 45 40\.0'") as caught:
        sources_of(write_catalog(table, "votable"))
    assert caught.value.code == "not_numeric"


@pytest.mark.parametrize("day", [2_458_849.5, 58_849.0])
def test_epochs_as_dates(write_catalog, day):
    table = plain(epoch="d")
    table["epoch"][:] = day
    wanted = Time(2_458_849.5, format="jd", scale="tdb").jyear
    assert sources_of(write_catalog(table, "fits")).ref_epoch[0] == pytest.approx(wanted, abs=1e-9)


MAPPING = """
name: by_hand
ref_epoch: 2015.5
columns:
  source_id: star
  ra: {column: X, unit: hourangle}
  dec: {column: Y, unit: deg}
  pm_ra: {column: mux, unit: mas/yr, times_cos_dec: false}
  pm_dec: {column: muy, unit: arcsec/yr}
fluxes:
  F146: {column: w, error: dw, system: AB}
  F087: {column: z, system: Vega, zero_point: 2270}
  F213: {column: k, unit: uJy}
"""


def test_mapping_by_hand(tmp_path, write_catalog):
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    names = {
        "star": 7.0,
        "X": 1.0,
        "Y": 60.0,
        "mux": 8.0,
        "muy": 0.001,
        "w": 22.5,
        "dw": 0.1,
        "z": 0.0,
        "k": 2.0,
    }
    path = write_catalog(Table({name: [value] for name, value in names.items()}), "fits")
    mapping = read_mapping(tmp_path / "mapping.yaml", ELEMENTS)
    sources = sources_of(path, mapping)
    assert mapping.name == "by_hand"
    assert (sources.source_id[0], sources.dec[0]) == ("7", 60.0)
    assert sources.ra[0] == pytest.approx(15.0)
    assert sources.pm_ra[0] == pytest.approx(4.0)
    assert sources.pm_dec[0] == pytest.approx(1.0)
    assert sources.ref_epoch[0] == 2015.5
    assert sources.flux["F146"][0] == pytest.approx(3631.0)
    assert sources.flux_err["F146"][0] == pytest.approx(3631.0 * 0.0921, rel=1e-3)
    assert sources.flux["F087"][0] == pytest.approx(2270e9)
    assert sources.flux["F213"][0] == pytest.approx(2000.0)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("- a\n- b\n", "YAML mapping"),
        ("columns: {ra: [1, 2", "not YAML"),
        ("colums: {}\n", "unknown key colums"),
        ("columns: {declination: d}\n", "unknown key declination"),
        ("columns: {ra: {unit: deg}}\n", "no column"),
        ("columns: {ra: {column: 5}}\n", "5 is not a str"),
        ("columns: {ra: {column: x, times_cos_dec: maybe}}\n", "'maybe' is not a bool"),
        ("fluxes: {H158: h}\n", "unknown key H158"),
        ("fluxes: {F146: {column: w, system: ST}}\n", "system 'ST'"),
        ("fluxes: {F146: {column: w, system: Vega}}\n", "zero_point"),
        ("fluxes: {F146: {column: w, system: AB, zero_point: 3}}\n", "zero_point"),
        ("fluxes: {F146: {column: w, system: Vega, zero_point: -3}}\n", "not positive"),
        ("ref_epoch: J2000\n", "'J2000' is not a number"),
    ],
)
def test_bad_mapping_files(tmp_path, text, word):
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with pytest.raises(Rejected) as caught:
        read_mapping(path, ELEMENTS)
    assert caught.value.code == "bad_mapping"
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mapping_file_that_is_not_there(tmp_path):
    with pytest.raises(Rejected) as caught:
        read_mapping(tmp_path / "none.yaml", ELEMENTS)
    assert caught.value.code == "missing_file"


def test_mapping_to_columns_that_are_not_there(tmp_path, write_catalog):
    (tmp_path / "mapping.yaml").write_text("columns: {ra: RA, dec: dec}\n")
    with pytest.raises(Rejected, match="RA") as caught:
        sources_of(write_catalog(plain(), "fits"), read_mapping(tmp_path / "mapping.yaml", ELEMENTS))
    assert caught.value.code == "missing_column"


def test_rows_count_from_the_first_of_the_chunk(write_catalog):
    file = open_catalog(write_catalog(gaia(), "fits")).file
    mapping = recognise(file, ELEMENTS)
    columns = {name: np.ones(3) for name in needed_columns(mapping)}
    assert apply_mapping(Chunk(40, columns), mapping, file).row.tolist() == [40, 41, 42]
