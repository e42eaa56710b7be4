from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Column, MaskedColumn, Table

from loaders.catalog.read import open_catalog, read_catalog, read_chunks
from loaders.rejection import Rejected

FORMATS = ("parquet", "fits", "votable", "ecsv")
N = 20


def table() -> Table:
    rng = np.random.default_rng(1)
    return Table(
        {
            "source_id": np.arange(4_000_000_000_000_000_001, 4_000_000_000_000_000_001 + N),
            "ra": Column(rng.uniform(0, 360, N), unit=u.deg, meta={"ucd": "pos.eq.ra;meta.main"}),
            "pmra": MaskedColumn(rng.normal(0, 5, N), unit=u.mas / u.yr, mask=np.arange(N) % 5 == 0),
            "count": MaskedColumn(np.arange(N), mask=np.arange(N) == 3, fill_value=-99),
            "mag": rng.normal(18, 1, N).astype(np.float32),
            "name": np.array([f"star {k}" for k in range(N)]),
        }
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_content_survives_every_format(write_catalog, kind):
    written = table()
    columns, file = read_catalog(write_catalog(written, kind))
    assert (file.format, file.n_row) == (kind, N)
    assert list(file.columns) == written.colnames
    for name in ("source_id", "ra", "mag"):
        assert np.array_equal(columns[name], written[name])
        assert columns[name].dtype.isnative
    assert [str(name) for name in columns["name"]] == list(written["name"])


@pytest.mark.parametrize("kind", FORMATS)
def test_units_survive_every_format(write_catalog, kind):
    columns = open_catalog(write_catalog(table(), kind)).file.columns
    assert u.Unit(columns["ra"].unit) == u.deg
    assert u.Unit(columns["pmra"].unit) == u.mas / u.yr
    assert columns["mag"].unit is None
    assert columns["name"].unit is None


@pytest.mark.parametrize("kind", ["parquet", "votable", "ecsv"])
def test_ucds_survive(write_catalog, kind):
    assert open_catalog(write_catalog(table(), kind)).file.columns["ra"].ucd == "pos.eq.ra;meta.main"


def test_ucds_of_fits_are_keywords(write_catalog):
    path = write_catalog(table(), "fits")
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["TUCD2"] = "pos.eq.ra;meta.main"
    assert open_catalog(path).file.columns["ra"].ucd == "pos.eq.ra;meta.main"


@pytest.mark.parametrize("kind", FORMATS)
def test_masked_values_are_masked_or_nan(write_catalog, kind):
    columns, _ = read_catalog(write_catalog(table(), kind))
    motion = np.ma.filled(columns["pmra"].astype(float), np.nan)
    assert np.array_equal(np.isnan(motion), np.arange(N) % 5 == 0)
    assert np.array_equal(np.ma.getmaskarray(columns["count"]), np.arange(N) == 3)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rows", [1, 6, N, 1000])
def test_chunks_make_up_the_table(write_catalog, kind, rows):
    path = write_catalog(table(), kind)
    chunks = list(read_chunks(open_catalog(path), ["ra", "source_id"], rows))
    assert all(0 < len(chunk) <= rows for chunk in chunks)
    assert [chunk.first_row for chunk in chunks] == [0, *np.cumsum([len(chunk) for chunk in chunks])[:-1]]
    assert np.array_equal(np.concatenate([chunk.columns["ra"] for chunk in chunks]), table()["ra"])
    assert set(chunks[0].columns) == {"ra", "source_id"}


def test_parquet_as_astropy_writes_it(tmp_path):
    """The header that astropy leaves in the file, tagged units included."""
    header = (
        "datatype:\n- {name: ra, unit: deg, datatype: float64, meta: {ucd: pos.eq.ra}}\n"
        "- {name: f, unit: !astropy.units.Unit {unit: nJy}, datatype: float64}\n"
        "meta: !!omap\n- __serialized_columns__: {}\n"
    )
    data = pa.table({"ra": [1.0], "f": [2.0]}).replace_schema_metadata({"table_meta_yaml": header})
    pq.write_table(data, tmp_path / "t.parquet")
    columns = open_catalog(tmp_path / "t.parquet").file.columns
    assert (columns["ra"].unit, columns["ra"].ucd, columns["f"].unit) == ("deg", "pos.eq.ra", "nJy")


def test_parquet_with_a_votable_header(tmp_path):
    """The VOParquet convention: a VOTable without data in the file's metadata."""
    header = io.BytesIO()
    empty = Table({"ra": Column([1.0], unit=u.deg, meta={"ucd": "pos.eq.ra;meta.main"})})[:0]
    empty.write(header, format="votable")
    data = pa.table({"ra": [1.0]}).replace_schema_metadata(
        {"IVOA.VOTable-Parquet.content": header.getvalue()}
    )
    pq.write_table(data, tmp_path / "t.parquet")
    info = open_catalog(tmp_path / "t.parquet").file.columns["ra"]
    assert (info.unit, info.ucd) == ("deg", "pos.eq.ra;meta.main")


def test_columns_of_arrays_are_left_out(tmp_path, write_catalog):
    data = Table({"ra": [1.0, 2.0], "image": np.zeros((2, 3))})
    assert list(open_catalog(write_catalog(data, "fits")).file.columns) == ["ra"]
    assert list(open_catalog(write_catalog(data, "votable")).file.columns) == ["ra"]
    pq.write_table(pa.table({"ra": [1.0], "list": [[1, 2]], "kind": pa.array(["a"]).dictionary_encode()}),
                   tmp_path / "t.parquet")  # fmt: skip
    columns, _ = read_catalog(tmp_path / "t.parquet")
    assert columns["kind"].tolist() == ["a"]
    assert "list" not in columns


def test_unknown_columns_are_an_error(write_catalog):
    reader = open_catalog(write_catalog(table(), "parquet"))
    with pytest.raises(ValueError, match="colour"):
        list(read_chunks(reader, ["colour"]))


def check_refused(path, code: str) -> str:
    with pytest.raises(Rejected) as caught:
        read_catalog(path)
    assert caught.value.code == code, str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing_empty_and_foreign_files(tmp_path):
    path = tmp_path / "catalog.parquet"
    check_refused(path, "missing_file")
    path.touch()
    check_refused(path, "empty_file")
    path.write_text("ra,dec\n1,2\n")
    check_refused(path, "unknown_format")
    path.write_bytes(b"\x1f\x8b\x08rest")
    assert "Decompress" in check_refused(path, "unknown_format")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9])
def test_truncated(write_catalog, kind, fraction):
    long = Table({"ra": np.linspace(0, 359, 4000), "dec": np.linspace(-80, 80, 4000)})
    path = write_catalog(long, kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    if kind == "ecsv":
        # Text has no end mark: cut within a line it is refused, between lines it is a shorter table.
        path.write_bytes(path.read_bytes().rsplit(b" ", 1)[0])
    check_refused(path, "unreadable_catalog")


@pytest.mark.parametrize("kind", FORMATS)
def test_no_rows(write_catalog, kind):
    check_refused(write_catalog(Table({"ra": np.empty(0), "dec": np.empty(0)}), kind), "no_rows")


def test_fits_without_a_table(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
    assert "no table" in check_refused(tmp_path / "image.fits", "unreadable_catalog")


def test_damaged_parquet_pages(write_catalog):
    path = write_catalog(Table({"ra": np.random.default_rng(1).uniform(0, 1, 4000)}), "parquet")
    content = bytearray(path.read_bytes())
    content[8:60] = b"\xff" * 52
    path.write_bytes(bytes(content))
    check_refused(path, "unreadable_catalog")
