"""Light curves of others are found in their season: of files of one and of all, and as stored before."""

import numpy as np
import pytest

from loaders.external_light_curve.blocks import BlockMaker, divided
from loaders.external_light_curve.contents import Contents
from loaders.external_light_curve.load import season_borders
from loaders.external_light_curve.points import ExternalPoints
from loaders.light_curve.load import BlockContext, write_block
from loaders.stored_curve.load import read_curves
from loaders.variability.load import season_days
from roman_db import session
from roman_db.load_run import load_run
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

#: Days of the seasons of the survey gbtds, which the release brings.
SEASONS = ((61448, 61520), (61636, 61708), (61813, 61885), (62544, 62616), (62732, 62804), (62909, 62981))
PLACE = (268.0, -29.0)
OPTIONS = ("--band", "F146", "--unit", "nJy", "--time-system", "MJD_TDB", "--ra", PLACE[0], "--dec", PLACE[1])
POINTS = (
    "SELECT midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve WHERE photometry_kind = 'external' "
    "ORDER BY object_id, midpoint_mjd_tdb"
)
VARIABILITY = (
    "SELECT n_point FROM roman.variability WHERE season = {} AND photometry_kind = 'external' "
    "ORDER BY object_id"
)


def blocks_of(points, objects, load_run_id, borders):
    """Blocks of a file of one part."""
    contents = Contents()
    contents.add(points)
    return BlockMaker(contents, objects, load_run_id, borders).blocks(points)


def times_of(season, number):
    """Times within a season, MJD (TDB)."""
    first, last = SEASONS[season - 1]
    return np.linspace(first + 0.5, last - 0.5, number)


def write_file(path, times):
    flux = 1e4 + 30 * np.random.default_rng(1).standard_normal(times.size)
    rows = "".join(f"{t!r},{f!r},30\n" for t, f in zip(times.tolist(), flux.tolist(), strict=True))
    path.write_text("mjd,flux,flux_err\n" + rows)
    return path


def seen(season):
    """Times (MJD) that whoever asks for a season gets; barycentric times are within 0.006 d of these."""
    days = season_days("gbtds", season)
    with session.reading() as connection:
        objects = connection.exec_driver_sql("SELECT object_id FROM roman.object").scalars().all()
    curves = list(read_curves(objects, "external", *days))
    return np.concatenate([one.time for one in curves]) - 2_400_000.5 if curves else np.empty(0)


@pytest.mark.heavy
def test_each_season_has_its_points(new_database, tmp_path):
    number = {season: 20 + 3 * season for season in range(1, 7)}
    between = np.array([61400.0, 61521.0, 61600.0, 62000.0, 62700.0, 63100.0])
    times = np.sort(np.concatenate([*(times_of(k, n) for k, n in number.items()), between]))
    succeed("load", "lightcurves", write_file(tmp_path / "six.csv", times), *OPTIONS)
    for season, n in number.items():
        np.testing.assert_allclose(seen(season), times_of(season, n), atol=0.01)
        outcome = succeed("run", "season", season, "--photometry-kind", "external")
        assert "no light curves of the kind" not in outcome.out
        assert execute(new_database, VARIABILITY.format(season)) == [(n,)]
    assert seen(0).size == times.size
    np.testing.assert_allclose(np.array(execute(new_database, POINTS))[:, 0], times, atol=1e-6)
    assert roman_db("audit").code == 0


@pytest.mark.heavy
def test_a_second_season_alone_is_the_second(new_database, tmp_path):
    times = times_of(2, 30)
    succeed("load", "lightcurves", write_file(tmp_path / "second.csv", times), *OPTIONS)
    np.testing.assert_allclose(seen(2), times, atol=0.01)
    for season in (1, 3):
        assert seen(season).size == 0
        outcome = succeed("run", "season", season, "--photometry-kind", "external")
        assert "no light curves of the kind external" in outcome.out
    succeed("run", "season", 2, "--photometry-kind", "external")
    seasons = "SELECT season, n_point FROM roman.variability WHERE photometry_kind = 'external'"
    assert execute(new_database, seasons) == [(2, 30)]


@pytest.mark.parametrize("border", [61448, 61520, 61513])
def test_points_on_both_sides_of_a_border_are_parted_there(new_database, tmp_path, border):
    """The last is the end of a season of another survey than that whose seasons are worked on."""
    times = border + np.array([-2.0, -0.5, -1e-6, 0.0, 1e-6, 1.0])
    succeed("load", "lightcurves", write_file(tmp_path / "few.csv", times), *OPTIONS)
    first, last = SEASONS[0]
    wanted = times[(times >= first) & (times < last)]
    np.testing.assert_allclose(seen(1), wanted, atol=0.01)
    blocks = "SELECT start_mjd, n_epoch FROM roman.light_curve_block WHERE start_mjd >= 61448 ORDER BY 1"
    (*_, (start, n_epoch)) = execute(new_database, blocks)
    assert (start, n_epoch) == (border, 3)
    assert roman_db("audit").code == 0


@pytest.mark.heavy
def test_an_event_is_found_in_its_season_alone(new_database, tmp_path):
    """A lens that passes in the third season; the other seasons of the same file are constant."""
    times = np.concatenate([np.arange(first + 0.5, last - 0.5, 0.1) for first, last in SEASONS[:3]])
    u2 = 0.01 + ((times - 61850) / 8) ** 2
    flux = 1e4 * (u2 + 2) / np.sqrt(u2 * (u2 + 4)) + 50 * np.random.default_rng(3).standard_normal(times.size)
    path = tmp_path / "lens.csv"
    rows = "".join(f"{t!r},{f!r},50\n" for t, f in zip(times.tolist(), flux.tolist(), strict=True))
    path.write_text("mjd,flux,flux_err\n" + rows)
    succeed("load", "lightcurves", path, *OPTIONS)
    for season in (1, 2, 3):
        succeed("run", "season", season, "--photometry-kind", "external")
    events = (
        "SELECT season, t_0_guess, n_point FROM roman.event WHERE photometry_kind = 'external' AND is_event"
    )
    ((season, t0, n_point),) = execute(new_database, events)
    assert season == 3
    assert t0 - 2_400_000.5 == pytest.approx(61850, abs=1)
    assert n_point == np.count_nonzero(times > SEASONS[2][0])


def as_stored_before(times, objects):
    """Blocks as an earlier release wrote them: from a multiple of 368 days, over all seasons."""
    n = times.size
    names = np.repeat(np.array(sorted(objects), dtype=object), n)
    rng = np.random.default_rng(5)
    points = ExternalPoints(
        np.arange(names.size),
        names,
        np.full(names.size, "F146", dtype=object),
        *(np.full(names.size, one) for one in PLACE),
        np.tile(times + 2_400_000.5, len(objects)),
        1e4 + 30 * rng.standard_normal(names.size),
        np.full(names.size, 30.0),
        (rng.random(names.size) < 0.2).astype(np.uint16) * 4,
    )
    with load_run("load lightcurves", {}, expected=0) as run, session.transaction() as connection:
        version = connection.exec_driver_sql(
            "SELECT max(catalog_version_id) FROM roman.catalog_version"
        ).scalar()
        for block in blocks_of(points, objects, run.load_run_id, np.empty(0, np.int64)):
            context = BlockContext(run.load_run_id, version, 0)
            write_block(connection, block.key, block.epochs, block.photometry, context)


@pytest.fixture
def stored_before(new_database, tmp_path):
    """Two objects over two seasons, and blocks of them in the old places."""
    for name, ra in (("a", 268.0), ("b", 268.1)):
        options = [ra if word == PLACE[0] else word for word in OPTIONS]
        succeed("load", "lightcurves", write_file(tmp_path / f"{name}.csv", times_of(1, 2)), *options)
    change = "DELETE FROM roman.light_curve_{} WHERE true"
    execute(new_database, *(change.format(name) for name in ("segment", "summary", "block")))
    objects = dict(execute(new_database, "SELECT source_id, object_id FROM roman.object_alias"))
    times = np.concatenate([times_of(1, 9), [61550.0], times_of(2, 12)])
    as_stored_before(times, objects)
    starts = "SELECT start_mjd FROM roman.light_curve_block"
    assert execute(new_database, starts) == [(61088,)]
    return new_database


@pytest.mark.heavy
def test_what_was_stored_before_is_right_as_soon_as_a_season_is_run(stored_before):
    before = execute(stored_before, POINTS.replace("flux_err", "flux_err, flags"))
    assert roman_db("audit", "external_across_seasons").code == 1
    succeed("run", "season", 2, "--photometry-kind", "external")
    assert execute(stored_before, VARIABILITY.format(2)) == [(12,), (12,)]
    assert execute(stored_before, POINTS.replace("flux_err", "flux_err, flags")) == before
    assert len(seen(1)) == 18
    assert roman_db("audit").code == 0
    succeed("run", "season", 1, "--photometry-kind", "external")
    assert execute(stored_before, VARIABILITY.format(1)) == [(9,), (9,)]


def test_divide_does_it_once_and_seasons_may_come_later(stored_before):
    assert "1 units divided" in succeed("run", "divide").out
    assert "0 units divided" in succeed("run", "divide").out
    execute(stored_before, "INSERT INTO roman.season VALUES ('gbtds', 7, 61540, 61560)")
    assert roman_db("audit", "external_across_seasons").code == 1
    succeed("run", "divide")
    np.testing.assert_allclose(seen(7), [61550, 61550], atol=0.01)
    assert roman_db("audit").code == 0


def test_parts_hold_each_point_once():
    n = 40
    rng = np.random.default_rng(2)
    times = 2_461_000.5 + np.sort(rng.uniform(0, 2000, n))
    name, band = (np.full(n, text, dtype=object) for text in ("a", "F146"))
    place = (np.full(n, one) for one in PLACE)
    flux = rng.normal(100, 1, n)
    points = ExternalPoints(np.arange(n), name, band, *place, times, flux, np.ones(n), np.zeros(n, np.uint16))
    (whole,) = blocks_of(points, {"a": 1}, 3, np.empty(0, np.int64))
    borders = np.array(sorted({day for season in SEASONS for day in season}))
    parts = divided(whole, borders)
    for name in ("exposure_id", "bjd_tdb", "mjd_tdb"):
        joined = np.concatenate([getattr(part.epochs, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole.epochs, name))
    joined = np.hstack([part.photometry.segments.flux for part in parts])
    np.testing.assert_array_equal(joined, whole.photometry.segments.flux)
    for part in parts:
        mjd = part.epochs.mjd_tdb
        assert part.key.start_mjd <= mjd[0]
        assert mjd[-1] < part.key.end_mjd
        assert len({sum(mjd_of >= day for day in borders) for mjd_of in mjd}) == 1
        assert not any(part.key.start_mjd < day <= mjd[-1] for day in borders)


def test_borders_are_those_of_all_surveys(new_database):
    with session.reading() as connection:
        borders = season_borders(connection)
    assert {day for season in SEASONS for day in season} < set(borders.tolist())
    assert 61513 in borders
    assert np.all(np.diff(borders) > 0)


@pytest.mark.heavy
@pytest.mark.parametrize("flux", [12345.678901, 1 / 3, 9.87654321e9])
def test_a_constant_of_tiny_errors_is_constant(new_database, tmp_path, flux):
    """Errors of 1e-12 of the flux, which single precision rounds by more."""
    times = np.concatenate([times_of(season, 50) for season in range(1, 7)])
    path = tmp_path / "constant.csv"
    path.write_text(
        "mjd,flux,flux_err\n" + "".join(f"{t!r},{flux!r},{flux * 1e-12!r}\n" for t in times.tolist())
    )
    succeed("load", "lightcurves", path, *OPTIONS)
    succeed("run", "survey", "--photometry-kind", "external")
    found = "SELECT is_variable, longest_run, reduced_chi2 < 1 FROM roman.variability WHERE season = 0"
    assert execute(new_database, found) == [(False, 0, True)]
    assert execute(new_database, "SELECT count(*) FROM roman.event WHERE is_event") == [(0,)]
