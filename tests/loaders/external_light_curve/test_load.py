"""``roman-db load lightcurves``: into the database and back."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.light_curve_simulation.schedule import Cadence
from loaders.light_curve_simulation.simulate import Recipe, prepare, simulate
from loaders.light_curve_simulation.tables import points_table
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

POINTS = (
    "SELECT midpoint_bjd_tdb, flux, flux_err, flags FROM roman.light_curve WHERE object_id = {} "
    "AND optical_element = '{}' AND photometry_kind = 'external' ORDER BY 1"
)


@pytest.fixture
def curve(tmp_path):
    path = tmp_path / "BLG-0042.dat"
    path.write_text("".join(f"{2455260.5 + k} {16 + 0.01 * k:.2f} 0.01\n" for k in range(20)))
    return path


OGLE = (
    *("--time-system", "BJD_TDB", "--band", "OGLE-I", "--system", "Vega", "--zero-point", "2416"),
    *("--ra", "268.0", "--dec", "-29.5", "--name", "OGLE"),
)


def objects(url):
    return execute(url, "SELECT source_id, object_id FROM roman.object_alias ORDER BY 1")


def test_simulated_light_curves_come_back_as_they_were(new_database, tmp_path):
    made = prepare(Recipe(3, cadence=Cadence(seasons=((61448.1, 61451.0), (61636.1, 61638.0)))))
    curves = [simulate(made, number) for number in range(5)]
    pq.write_table(points_table(3, curves), tmp_path / "some.parquet")
    outcome = succeed("load", "lightcurves", tmp_path / "some.parquet")
    assert "0 rejected" in outcome.out
    stored = dict(objects(new_database))
    assert len(stored) == 5
    for one in curves:
        for element, points in one.points.items():
            rows = np.array(execute(new_database, POINTS.format(stored[f"sim-3-{one.number:06d}"], element)))
            wanted = (points.bjd_tdb, points.flux.astype("f4"), points.flux_err.astype("f4"), points.flags)
            np.testing.assert_array_equal(rows[:, 0], wanted[0])
            np.testing.assert_array_equal(rows[:, 1:].T.astype("f4"), wanted[1:])
    # Light curves with the same times share a block; there are two seasons and three elements.
    assert execute(new_database, "SELECT count(*) FROM roman.light_curve_block") == [(6,)]
    place = execute(new_database, "SELECT ra, dec FROM roman.object ORDER BY ra")
    np.testing.assert_allclose(place, sorted((c.ra, c.dec) for c in curves), atol=1e-9)


def test_the_command_shows_the_light_curve(new_database, curve):
    succeed("load", "lightcurves", curve, *OGLE)
    ((name, object_id),) = objects(new_database)
    assert name == "BLG-0042"
    rows = np.array(execute(new_database, POINTS.format(object_id, "OGLE-I")))
    np.testing.assert_allclose(rows[:, 1], 2416e9 * 10 ** (-0.4 * (16 + 0.01 * np.arange(20))), rtol=1e-6)
    outcome = succeed("lightcurve", "--id", object_id)
    assert "OGLE-I" in outcome.out
    assert "external" in outcome.out
    assert execute(new_database, "SELECT n_point FROM roman.light_curve_summary") == [(20,)]


def test_a_file_for_each_object_and_band(new_database, tmp_path):
    """As data challenges give them: BJD, AB magnitude and its error; names of files tell the rest."""
    mags = {("W149", "001"): 18.0, ("Z087", "001"): 20.0, ("W149", "012"): 21.0}
    for (band, name), mag in mags.items():
        rows = "".join(f"{2458234.5 + 0.01 * k} {mag} 0.01\n" for k in range(5))
        (tmp_path / f"n20180816.{band}.WFIRST18.{name}.txt").write_text(rows)
    (tmp_path / "info.txt").write_text("a 1 268.1 -29.1 x\nb 12 268.2 -29.2 y\n")
    (tmp_path / "wfirst.yaml").write_text(
        "file_name: n*.{band}.WFIRST18.{object}.txt\ntime_system: BJD_TDB\nsystem: AB\n"
        "bands: {W149: F146, Z087: F087}\n"
        f"places: {{file: {tmp_path}/info.txt, object: col2, ra: col3, dec: col4}}\n"
    )
    outcome = succeed("load", "lightcurves", *tmp_path.glob("n*.txt"), "--layout", tmp_path / "wfirst.yaml")
    assert "15 rows read: 15 loaded" in outcome.out
    stored = dict(objects(new_database))
    assert sorted(stored) == ["001", "012"]
    for (band, name), mag in mags.items():
        element = {"W149": "F146", "Z087": "F087"}[band]
        rows = execute(new_database, POINTS.format(stored[name], element))
        assert [row[1] for row in rows] == pytest.approx([3631e9 * 10 ** (-0.4 * mag)] * 5, rel=1e-6)
    place = execute(
        new_database, "SELECT round(ra::numeric, 6), round(dec::numeric, 6) FROM roman.object ORDER BY ra"
    )
    assert [(float(ra), float(dec)) for ra, dec in place] == [(268.1, -29.1), (268.2, -29.2)]
    other = tmp_path / "phot_001.txt"
    other.write_text("2458234.5 18 0.01\n")
    outcome = roman_db("load", "lightcurves", other, "--layout", tmp_path / "wfirst.yaml")
    assert "phot_001.txt is not like n*.{band}.WFIRST18.{object}.txt" in outcome.err


def test_loading_again_replaces(new_database, curve):
    succeed("load", "lightcurves", curve, *OGLE)
    curve.write_text(curve.read_text() + "2455300.5 15.0 0.01\n")
    succeed("load", "lightcurves", curve, *OGLE)
    ((_, object_id),) = objects(new_database)
    rows = execute(new_database, POINTS.format(object_id, "OGLE-I"))
    assert len(rows) == 21
    current = "SELECT count(*) FROM roman.light_curve_block WHERE superseded_at IS NULL"
    assert execute(new_database, current) == [(1,)]


def test_one_of_a_block_can_be_replaced(new_database, tmp_path):
    many = tmp_path / "many.csv"
    rows = [f"{name},{2455260.5 + k},{10 + k},1" for name in "abc" for k in range(4)]
    many.write_text("object,bjd_tdb,flux,flux_err\n" + "\n".join(rows))
    options = ("--unit", "uJy", "--band", "I", "--ra", 268, "--dec", -29)
    succeed("load", "lightcurves", many, *options)
    one = tmp_path / "one.csv"
    one.write_text("object,bjd_tdb,flux,flux_err\nb,2455260.5,1,1\nb,2455261.5,2,1\n")
    succeed("load", "lightcurves", one, *options)
    stored = dict(objects(new_database))
    assert len(set(stored.values())) == 3
    assert [len(execute(new_database, POINTS.format(stored[n], "I"))) for n in "abc"] == [4, 2, 4]
    sizes = "SELECT n_object, n_point FROM roman.light_curve_block WHERE superseded_at IS NULL ORDER BY 1"
    assert execute(new_database, sizes) == [(1, 2), (2, 8)]
    outcome = roman_db("audit")
    assert outcome.code == 0, outcome.out


def test_a_known_object_keeps_its_place(new_database, curve, tmp_path):
    succeed("load", "lightcurves", curve, *OGLE)
    other = tmp_path / "other.dat"
    other.write_text(curve.read_text())
    near = [word if word != "268.0" else "268.00002" for word in OGLE]
    near[near.index("OGLE")] = "MOA"
    near[near.index("OGLE-I")] = "MOA-R"
    succeed("load", "lightcurves", other, *near)
    assert len({object_id for _, object_id in objects(new_database)}) == 1
    assert execute(new_database, "SELECT ra FROM roman.object") == [(268.0,)]
    bands = "SELECT DISTINCT optical_element FROM roman.light_curve ORDER BY 1"
    assert execute(new_database, bands) == [("MOA-R",), ("OGLE-I",)]


def test_a_known_name_needs_no_place(new_database, curve):
    succeed("load", "lightcurves", curve, *OGLE)
    nowhere = [word for word in OGLE if word not in ("--ra", "268.0", "--dec", "-29.5")]
    succeed("load", "lightcurves", curve, *nowhere)
    outcome = roman_db("load", "lightcurves", curve, *nowhere, "--object", "unknown")
    assert outcome.code == 1
    codes = "SELECT code, count(*) FROM ops.load_rejection GROUP BY 1"
    assert execute(new_database, codes) == [("no_position", 20)]


def test_a_refused_file_changes_nothing(new_database, curve, tmp_path):
    bad = tmp_path / "bad.dat"
    bad.write_text("2455260.5 16\n")
    outcome = roman_db("load", "lightcurves", bad, curve, tmp_path / "missing.dat", *OGLE)
    assert outcome.code == 1
    codes = "SELECT code FROM ops.load_rejection ORDER BY 1"
    assert execute(new_database, codes) == [("missing_column",), ("missing_file",)]
    assert len(objects(new_database)) == 1


def test_compaction_leaves_them_alone(new_database, curve, tmp_path):
    succeed("load", "lightcurves", curve, *OGLE)
    succeed("load", "lightcurves", curve, *OGLE, "--object", "second", "--ra", "269")
    before = execute(new_database, "SELECT * FROM roman.light_curve ORDER BY object_id, midpoint_bjd_tdb")
    succeed("run", "compact", "--before", 70000)
    after = execute(new_database, "SELECT * FROM roman.light_curve ORDER BY object_id, midpoint_bjd_tdb")
    assert before == after
    assert len(before) == 40


def test_a_wrong_layout_is_said(new_database, curve):
    outcome = roman_db("load", "lightcurves", curve, "--time-system", "GPS")
    assert outcome.code == 1
    assert "time_system 'GPS' is none of BJD_TDB" in outcome.err


def test_points_without_an_error_of_their_own_are_not_made_up(new_database, tmp_path):
    table = pa.table({"bjd_tdb": [2455260.5, 2455261.5], "flux": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "few.parquet")
    outcome = roman_db("load", "lightcurves", tmp_path / "few.parquet", "--band", "I", "--unit", "nJy")
    assert outcome.code == 1
    assert "no column is known as that of the error" in outcome.err


def test_the_reasons_of_all_files_of_a_command_can_be_asked_for(new_database, curve, tmp_path):
    """Each file is a run; the first and the last are refused, one row of the second is."""
    bad = tmp_path / "bad.dat"
    bad.write_text("2455260.5 16\n")
    curve.write_text(curve.read_text() + "2455290.5 nan 0.1\n")
    roman_db("load", "lightcurves", tmp_path / "before.dat", *OGLE)
    outcome = roman_db("load", "lightcurves", bad, curve, tmp_path / "missing.dat", *OGLE)
    (line,) = outcome.lines("Why: roman-db query")
    rows = execute(new_database, line.split('"')[1])
    assert sorted(row[2] for row in rows) == ["missing_column", "missing_file", "nan_point"]
