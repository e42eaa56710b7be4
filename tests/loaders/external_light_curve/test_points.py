"""Tables of any layout: the points in them, and the rows that are refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.external_light_curve.layout import Layout, layout_of, read_layout, recognised
from loaders.external_light_curve.points import _resolved, points_of
from loaders.external_light_curve.read import read_table
from loaders.rejection import Rejected

OGLE = Layout(band="OGLE-I", time_system="HJD_UTC", system="Vega", zero_point=2500.0, ra="268.0", dec="-29.0")


def load(path, layout):
    table = read_table(path)
    return points_of(table, recognised(layout, table.columns, path.stem, str(path)))


def written(tmp_path, text):
    path = tmp_path / "curve.dat"
    path.write_text(text)
    return path


def test_a_table_without_names_of_columns(tmp_path):
    """Files of OGLE's early warning system: HJD, I, its error, and two columns more."""
    path = written(tmp_path, "2455260.85336 16.394 0.006 5.42 1052.0\n2455261.85 16.5 0.01 5.5 1000\n")
    points, refused = load(path, OGLE)
    assert refused == []
    assert list(points.name) == ["curve", "curve"]
    np.testing.assert_allclose(points.flux, 2500e9 * 10 ** (-0.4 * np.array([16.394, 16.5])), rtol=1e-12)
    np.testing.assert_allclose(points.flux_err / points.flux, np.array([0.006, 0.01]) / 1.0857362, rtol=1e-6)


def test_a_magnitude_that_stands_for_none_is_refused(tmp_path):
    """As flux it would be a star that vanishes."""
    rows = [f"{2455260 + k} 16.4 0.006" for k in range(3)]
    points, refused = load(written(tmp_path, "\n".join([*rows, "2455264 99.999 9.999"])), OGLE)
    assert len(points) == 3
    assert [(one.row, one.code) for one in refused] == [(4, "implausible_flux")]
    assert "99.999" in refused[0].reason


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "  "])
@pytest.mark.parametrize("commented", [False, True])
def test_text_with_names(tmp_path, delimiter, commented):
    names = delimiter.join(["bjd_tdb", "flux", "flux_err", "filter"])
    rows = [delimiter.join([f"{2461450 + k}.5", f"{100 + k}", "2.5", "F146"]) for k in range(3)]
    path = written(tmp_path, "\n".join([("# " if commented else "") + names, *rows]))
    points, refused = load(path, Layout(unit="uJy", ra="268", dec="-29"))
    assert refused == []
    np.testing.assert_allclose(points.flux, [1e5, 1.01e5, 1.02e5])
    np.testing.assert_array_equal(points.bjd_tdb, 2461450.5 + np.arange(3))
    assert set(points.band) == {"F146"}


@pytest.mark.parametrize("kind", ["ascii.ecsv", "votable", "fits", "parquet"])
def test_tables_that_state_units(tmp_path, kind):
    table = Table(
        {
            "object": ["b", "a", "b", "a"],
            "band": ["I", "V", "I", "V"],
            "mjd": [60000.5, 60001.0, 59999.5, 60002.0],
            "flux": np.array([1.0, 2.0, 3.0, 4.0]) * units.mJy,
            "flux_err": np.array([10.0, 20.0, 30.0, 40.0]) * units.uJy,
            "ra": [268.0, 269.0, 268.0, 269.0],
            "dec": [-29.0, -30.0, -29.0, -30.0],
        }
    )
    path = tmp_path / "table"
    if kind == "parquet":
        fields = [
            pa.field(name, pa.array(column.tolist()).type, metadata={"unit": str(column.unit or "")})
            for name, column in table.columns.items()
        ]
        columns = [pa.array(column.tolist()) for column in table.columns.values()]
        pq.write_table(pa.table(columns, schema=pa.schema(fields)), path)
    else:
        table.write(path, format=kind)
    points, refused = load(path, Layout(time_system="MJD_TDB"))
    assert refused == []
    assert list(points.name) == ["a", "a", "b", "b"]
    np.testing.assert_allclose(points.flux, [2e6, 4e6, 3e6, 1e6])
    np.testing.assert_allclose(points.flux_err, [2e4, 4e4, 3e4, 1e4])
    np.testing.assert_array_equal(points.row, [1, 3, 2, 0])


ROWS = """bjd,mag,err,band
2461450.5,18.0,0.01,I
nonsense,18.0,0.01,I
2461451.5,,0.01,I
2461452.5,18.0,0,I
2461452.6,18.0,-1,I
2461453.5,18.0,0.01
1450.5,18.0,0.01,I
2461450.5,18.1,0.01,I
2461450.5,18.1,0.01,V
2461455.5,18.1,0.01,I
2461456.5,-300,0.01,I
"""


def test_bad_rows_are_refused_one_by_one(tmp_path):
    points, refused = load(written(tmp_path, ROWS), Layout(system="AB", ra="1", dec="2"))
    assert [(one.row, one.code) for one in refused] == [
        (3, "not_a_number"),
        (4, "nan_point"),
        (5, "zero_error"),
        (6, "zero_error"),
        (7, "wrong_columns"),
        (8, "time_out_of_range"),
        (9, "duplicate_time"),
        (10, "one_epoch"),
        (12, "implausible_flux"),
    ]
    assert list(points.row) == [2, 11]
    assert "nonsense" in refused[0].reason
    assert "the error is -1.0," in refused[3].reason
    assert "1450.5" in refused[5].reason
    assert "--time-offset" in refused[5].remedy


@pytest.mark.parametrize(
    ("flux", "error", "is_refused"),
    [(1e33, 1.0, True), (-1e33, 1.0, True), (1.0, 1e16, True), (3.2e13, 1e10, False)],
)
def test_fluxes_beyond_all_stars_are_refused(tmp_path, flux, error, is_refused):
    """R Doradus, the last, has -4.2 mag in K: 3.2e13 nJy (666.7 Jy are 0 mag)."""
    rows = [(100.0, 1.0), (101.0, 1.0), (flux, error)]
    text = "".join(f"{2461450 + k}.5 {f!r} {e!r}\n" for k, (f, e) in enumerate(rows))
    layout = Layout(band="K", unit="nJy", system="flux", time_system="BJD_TDB", ra="268", dec="-29")
    points, refused = load(written(tmp_path, text), layout)
    assert len(points) == 3 - is_refused
    assert [(one.row, one.code) for one in refused] == [(3, "implausible_flux")] * is_refused
    assert all("--unit" in one.remedy for one in refused)


@given(st.floats(1e-3, 1e14), st.floats(1e-20, 1e-3))
@settings(deadline=None)
def test_errors_are_not_below_what_storing_changes(flux, share):
    error = _resolved(np.array([flux, -flux]), np.array([share * flux, share * flux])).astype(np.float32)
    change = abs(float(np.float32(flux)) - flux)
    assert np.all(error > 1.9 * change)
    assert np.all(error >= np.float32(share * flux))
    if share > 1.2e-7:
        assert np.all(error == np.float32(share * flux))


def test_times_with_an_offset(tmp_path):
    path = written(tmp_path, "time,flux,err\n5260.5,1,0.1\n5261.5,2,0.1\n")
    layout = Layout(time_system="BJD_TDB", time_offset=2450000, unit="nJy", band="I", ra="1", dec="2")
    np.testing.assert_array_equal(load(path, layout)[0].bjd_tdb, [2455260.5, 2455261.5])


@pytest.mark.parametrize(
    ("text", "layout", "code"),
    [
        ("time,flux,err\n1,2,3\n", Layout(band="I", unit="nJy"), "no_time_system"),
        ("when,flux,err\n1,2,3\n", Layout(band="I", unit="nJy"), "no_time_column"),
        ("jd,flux,err\n1,2,3\n", Layout(unit="nJy"), "no_band"),
        ("jd,flux,err\n1,2,3\n", Layout(band="I"), "missing_unit"),
        ("jd,flux,err\n1,2,3\n", Layout(band="I", unit="km"), "wrong_unit"),
        ("jd,mag,err\n1,2,3\n", Layout(band="I"), "no_photometric_system"),
        ("jd,mag,err\n1,2,3\n", Layout(band="MOA-R", system="Vega"), "no_zero_point"),
        ("jd,mag\n1,2\n", Layout(band="I", system="AB"), "missing_column"),
        ("jd,mag,err\n1,2,3\n", Layout(band="I", system="AB", time="hjd"), "missing_column"),
        ("jd,mag,err\n1,2,3\n", Layout(band="I", system="AB", ra="alpha"), "missing_column"),
        ("jd,mag,err\n", Layout(band="I", system="AB"), "no_rows"),
        ("# only a comment\n", Layout(), "no_rows"),
        ("", Layout(), "empty_file"),
    ],
)
def test_files_that_say_too_little_are_refused(tmp_path, text, layout, code):
    with pytest.raises(Rejected) as refused:
        load(written(tmp_path, text), layout)
    assert refused.value.code == code
    assert refused.value.remedy
    assert "curve.dat" in refused.value.where


def test_binary_rubbish_is_refused(tmp_path):
    path = tmp_path / "curve.dat"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00")
    with pytest.raises(Rejected, match="Decompress it"):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "expected a YAML mapping"),
        ("tme: jd", "unknown key tme"),
        ("time_system: GPS", "time_system 'GPS' is none of"),
        ("system: Sloan", "system 'Sloan' is none of"),
        ("zero_point: -3", "zero_point must be above 0"),
        ("zero_point: {I: 0}", "zero_point must be above 0"),
        ("time: [a]", "is neither a text nor a number"),
        ("time: {", "not YAML"),
    ],
)
def test_layout_files_that_mean_nothing_are_refused(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(Rejected, match=said) as refused:
        read_layout(path)
    assert refused.value.code == "bad_layout"


def test_a_layout_file_says_what_options_say(tmp_path):
    path = written(tmp_path, "time: hjd\ntime_offset: 2450000\nra: 268.5\nzero_point: {OGLE-I: 2416}\n")
    layout = read_layout(path)
    assert layout == layout_of(
        {"time": "hjd", "time_offset": 2450000.0, "ra": 268.5, "zero_point": {"OGLE-I": 2416}}, ""
    )
    assert layout.zero_point_of("OGLE-I") == 2416
    assert layout.zero_point_of("I") == 2550


numbers = st.one_of(
    st.floats(2461000, 2461010).map(lambda x: f"{x:.2f}"),
    st.sampled_from(["", "nan", "x", "-inf", "1e400", "0"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, st.sampled_from(["a", "b"])), min_size=1, max_size=30))
def test_every_row_is_loaded_or_refused(tmp_path_factory, rows):
    """Whatever the text: all rows are accounted for, and what is loaded is a light curve."""
    text = "bjd_tdb,flux,err,object\n" + "\n".join(",".join(row) for row in rows)
    path = written(tmp_path_factory.mktemp("rows"), text)
    points, refused = load(path, Layout(unit="nJy", band="I", ra="1", dec="2"))
    assert sorted([*points.row, *(one.row for one in refused)]) == list(range(2, len(rows) + 2))
    assert np.all(points.flux_err > 0)
    assert np.all(np.isfinite(points.flux))
    for name in set(points.name):
        assert np.all(np.diff(points.bjd_tdb[points.name == name]) > 0)
        assert np.sum(points.name == name) > 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("text") / "curve.dat"
    path.write_text(text, encoding="utf-8")
    try:
        table = read_table(path)
        load(path, Layout(band="I", system="AB", time_system="JD_UTC", ra="1", dec="2"))
    except Rejected:
        return
    assert all(column.size == len(table) for column in table.columns.values())
