"""Astrometry in the database: what is stored is what the offsets say, a row an object, once."""

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.coordinates import get_body_barycentric
from astropy.time import Time
from click.testing import CliRunner

from loaders.adopted_astrometry.commands import astrometry
from loaders.astrometric_solution import load
from loaders.astrometric_solution.load import summary_of_astrometry
from loaders.astrometric_solution.tasks import ASTROMETRY
from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from loaders.season.tasks import SEASON, SURVEY, arguments
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from tests.loaders.astrometric_solution.sky import EPOCH, MAS, exact_offsets, observer_at
from tests.queries.filling import DETECTOR, N_OBJECT, exposure_id


@pytest.fixture(autouse=True)
def flags(monkeypatch):
    """Of the survey of the tests."""
    monkeypatch.setattr(load, "EXCLUDING_FLAGS", 1 | 2)


def run(season=0, **more):
    given = {"survey": "gbtds", "season": season, "photometry_kind": "psf", "redo": False} | more
    alone = Mode("astrometry", "Nothing is adopted", (ASTROMETRY,))
    report = run_mode(alone, given, lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def rows(season=0):
    return ask("SELECT * FROM roman.object_astrometry WHERE season = :s ORDER BY object_id", s=season)


def test_every_object_has_a_row(own_survey):
    run(1)
    found = rows(1)
    assert [row.object_id for row in found] == own_survey.object_id.tolist()
    status = {row.object_id: row.status for row in found}
    # Three days tell neither parallax nor motion.
    assert [status[one] for one in own_survey.object_id[:5].tolist()] == ["with_priors"] * 5
    assert set(list(status.values())[5:]) == {"not_measured"}
    (solution,) = ask("SELECT * FROM roman.astrometric_solution")
    assert (solution.frame, solution.n_object, solution.n_anchor) == ("catalog", 0, 0)
    assert list(summary_of_astrometry(1, "psf")) == ["Astrometry: 55 not_measured, 5 with_priors."]
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []


def test_points_that_count_are_those_without_flags_and_with_errors(own_survey):
    run(1)
    for row in rows(1)[:5]:
        query = """
            SELECT count(*) FROM roman.astrometry_curve WHERE object_id = :o AND offset_ra_err > 0
            AND offset_dec_err > 0 AND start_mjd >= 61448 AND start_mjd < 61520
        """
        assert row.n_epoch + row.n_rejected == ask(query, o=row.object_id)[0][0]


@pytest.mark.heavy
def test_again_does_nothing_and_redo_gives_the_same_in_place_of_the_first(own_survey):
    run()
    before = rows()
    assert run().succeeded == []
    run(redo=True)
    omit = ("load_run_id", "astrometric_solution_id")
    assert [strip(row, omit) for row in rows()] == [strip(row, omit) for row in before]
    current = ask("SELECT superseded_at IS NULL FROM roman.astrometric_solution ORDER BY 1")
    assert [row[0] for row in current] == [False, True]


def strip(row, omit):
    return {name: value for name, value in row._asdict().items() if name not in omit}


def test_the_modes_do_it_before_light_curves_are_described():
    for mode in (SEASON, SURVEY):
        names = [task.name for task in mode.tasks]
        first = names.index("astrometry")
        after = ["astrometry", "astrometry", "adopt_astrometry", "photometer", "locus"]
        assert names[first : first + 5] == after
    assert arguments("gbtds", 0, "psf")["season"] == 0


def test_the_command_says_what_there_is(own_survey):
    result = CliRunner().invoke(astrometry, ["--season", "1"], catch_exceptions=False)
    assert (result.exit_code, "5 with_priors" in result.output) == (0, True)
    assert CliRunner().invoke(astrometry, ["--season", "77"]).exit_code == 2


#: Days of three seasons that the survey of the tests leaves free.
MJD = np.concatenate([first + np.linspace(0.3, 60, 12) for first in (61830, 63092, 63280)])


def write_exposures(survey, mjd, kind="psf", shift=0.0, seed=3, element="F146", noise_seed=None):
    """Store exposures of stars that move: the offsets, mas, are those from the catalog as it stands.

    A shift, mas, is a number or has the shape (n, k, 2) of offsets.
    """
    rng = np.random.default_rng(seed)
    n = survey.object_id.size
    value = np.column_stack([rng.normal(0, 2, (n, 2)), rng.uniform(0.2, 3, n), rng.normal(0, 3, (n, 2))])
    year = 2000 + (mjd - 51544.5) / 365.25
    offset = exact_offsets(survey.ra, survey.dec, value, year - EPOCH, l2_at(mjd)) + shift
    sigma = np.full((n, mjd.size), 0.1, np.float32)
    rng = rng if noise_seed is None else np.random.default_rng(noise_seed)
    noise = 0.1 * rng.standard_normal(offset.shape)
    arrays = [(offset + noise)[..., c].astype(np.float32) for c in range(2)] + [sigma, sigma]
    with session.transaction(session.Role.OWNER) as connection:
        version = connection.execute(sa.text("SELECT max(catalog_version_id) FROM roman.catalog_version"))
        context = BlockContext(1, version.scalar_one(), 0)
        for i, at in enumerate(mjd):
            one = np.array([at])
            unknown = np.full(1, NONE)
            epochs = Epochs(exposure_id(one), one, one + 2400000.5, unknown, unknown)
            flux = np.ones((n, 1), np.float32)
            photometry = BlockPhotometry(
                survey.object_id, SegmentMatrix(flux, flux, np.zeros((n, 1), np.uint16)), np.ones(n),
                MeasurementMatrix(survey.object_id, [a[:, i : i + 1] for a in arrays]),
                empty_measurements(1, 7), np.ones(n), np.ones(n), np.ones(n),
            )  # fmt: skip
            key = BlockKey(1, DETECTOR, element, kind, int(at), int(at) + 1)
            write_block(connection, key, epochs, photometry, context)
    return value


def l2_at(mjd):
    """L2 without the halo orbit, for exposures whose files have no ephemeris."""
    time = Time(mjd, format="mjd", scale="tdb")
    earth, sun = (get_body_barycentric(name, time).xyz.to_value("au").T for name in ("earth", "sun"))
    return earth + 0.010078 * (earth - sun)


def test_motions_and_parallaxes_go_in_and_come_out(own_survey):
    value = write_exposures(own_survey, MJD, kind="psf_free")
    run(photometry_kind="psf_free")
    found = rows()
    assert {row.status for row in found} == {"five_parameters"}
    (solution,) = ask("SELECT * FROM roman.astrometric_solution")
    # Sixty stars: linear terms; without anchors all is relative to their mean, by linear fields of the place.
    assert (solution.frame, solution.n_anchor, solution.parallax_zero_err) == ("linear", 0, None)
    assert solution.n_exposure == MJD.size == len(ask("SELECT * FROM roman.astrometric_exposure"))
    place = np.column_stack([np.ones(N_OBJECT), own_survey.ra, own_survey.dec])
    place[:, 1:] -= place[:, 1:].mean(axis=0)
    for name, p in (("parallax", 2), ("pm_ra", 3), ("pm_dec", 4)):
        off = np.array([getattr(row, name) for row in found]) - value[:, p]
        off -= place @ np.linalg.lstsq(place, off, rcond=None)[0]
        pull = off / np.array([getattr(row, f"{name}_err") for row in found])
        assert 0.7 < pull.std() < 1.3
    np.testing.assert_allclose([row.ref_epoch for row in found], solution.ref_epoch)


@pytest.mark.heavy
def test_positions_are_at_the_reference_epoch(own_survey):
    value = write_exposures(own_survey, MJD, kind="psf_free")
    run(photometry_kind="psf_free")
    (first, *_) = rows()
    years = first.ref_epoch - EPOCH
    expected = own_survey.dec[0] + np.degrees(MAS) * (value[0, 1] + years * value[0, 4])
    # Relative to the mean of the sixty: within some mas of theirs.
    assert abs(first.dec - expected) / np.degrees(MAS) < 15
    assert first.ra_err < 0.2


@pytest.mark.heavy
def test_offsets_from_an_earlier_catalog_are_brought_to_that_of_now(own_survey):
    write_exposures(own_survey, MJD, kind="psf_free")
    run(photometry_kind="psf_free")
    before = rows()
    # A later catalog moves all objects and has them move and nearer.
    with session.transaction(session.Role.OWNER) as connection:
        later = """
            WITH version AS (
                INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
                VALUES ('later', 0, 60, 0, 0, 1) RETURNING catalog_version_id
            ), old AS (
                INSERT INTO roman.object_history (object_id, replaced_by, ra, dec, ref_epoch,
                    catalog_version_id, load_run_id)
                SELECT object_id, v.catalog_version_id, ra, dec, ref_epoch, o.catalog_version_id, 1
                FROM roman.object o, version v
            )
            UPDATE roman.object SET ra = ra + 2e-6, dec = dec - 1e-6, ref_epoch = 2028, pm_ra = 3,
                pm_dec = -2, parallax = 0.5, catalog_version_id = (SELECT catalog_version_id FROM version)
        """
        connection.execute(sa.text(later))
    run(photometry_kind="psf_free", redo=True)
    # Without anchors the mean of the corrections is none: it is what is catalogued that is now other.
    for name, step in (("parallax", 0.5), ("pm_ra", 3), ("pm_dec", -2)):
        change = [getattr(a, name) - getattr(b, name) for a, b in zip(rows(), before, strict=True)]
        np.testing.assert_allclose(change, step, atol=2e-3)


@pytest.mark.heavy
def test_the_mean_of_anchors_is_kept(own_survey):
    value = write_exposures(own_survey, MJD, kind="psf_free")
    with session.transaction(session.Role.OWNER) as connection:
        for i, object_id in enumerate(own_survey.object_id[:30].tolist()):
            # What is catalogued is the truth, and offsets are from what was: an earlier version.
            ra, dec = place_at_epoch(own_survey, value, i)
            parallax, x, y = value[i, 2:].tolist()
            connection.execute(
                sa.text("""
                    WITH old AS (
                        INSERT INTO roman.object_history (object_id, replaced_by, ra, dec, ref_epoch,
                            catalog_version_id, load_run_id)
                        SELECT object_id, 99, ra, dec, ref_epoch, 1, 1 FROM roman.object
                        WHERE object_id = :o
                    )
                    UPDATE roman.object SET ra = :ra, dec = :dec, ref_epoch = :epoch, pm_ra = :x, pm_dec = :y,
                        parallax = :p, pm_ra_err = 0.05, pm_dec_err = 0.05, parallax_err = 0.05,
                        ra_err = 0.05, dec_err = 0.05, catalog_version_id = 99
                    WHERE object_id = :o
                """),
                {"o": object_id, "ra": ra, "dec": dec, "epoch": EPOCH, "p": parallax, "x": x, "y": y},
            )
    run(photometry_kind="psf_free")
    (solution,) = ask("SELECT * FROM roman.astrometric_solution")
    assert solution.n_anchor == 30
    assert 0.005 < solution.parallax_zero_err < 0.05
    found = rows()
    # Those whose motion the catalog does not know are right, too: no mean was taken off.
    for name, p in (("parallax", 2), ("pm_ra", 3), ("pm_dec", 4)):
        off = np.array([getattr(row, name) for row in found])[30:] - value[30:, p]
        assert abs(off.mean()) < 0.06
        assert off.std() < 0.15


def place_at_epoch(survey, value, i):
    dec = survey.dec[i] + np.degrees(MAS) * value[i, 1]
    ra = survey.ra[i] + np.degrees(MAS) * value[i, 0] / np.cos(np.radians(dec))
    return float(ra), float(dec)


def test_the_observer_of_the_tests_is_near_l2():
    assert np.linalg.norm(observer_at(MJD) - l2_at(MJD), axis=1).max() < 0.01
