"""Every example runs as a reader, and answers what the made-up survey holds."""

import re
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.stats import binom_conf_interval
from scipy import stats

from roman_db import session, sqlfile

from .filling import (
    DAYS,
    DEC,
    DETECTOR,
    EPOCHS_A_DAY,
    EXCLUDING,
    LATER_DAY,
    LENSED,
    N_FOUND,
    N_INJECTED,
    N_OBJECT,
    N_SPURIOUS,
    RA,
    SPANS,
    UNMEASURED,
    WIDTHS,
    epochs_of,
    insert,
    photometry_of,
)

ALL_DAYS = (*DAYS, LATER_DAY)
#: Probability within one standard deviation.
ONE_SIGMA = 0.682689492137086
EXAMPLES = [file.name for file in sqlfile.read_all("examples")]


def ask(name: str, **values) -> list:
    """Rows of an example."""
    with session.reading() as connection:
        return sqlfile.run(connection, sqlfile.find("examples", name), values).all()


def photometry(survey, element: str):
    """Fluxes, errors and flags of all days as they were stored."""
    kinds = list(EPOCHS_A_DAY)
    blocks = [
        photometry_of(
            survey, epochs_of(day, element), element, 1 + len(kinds) * i + kinds.index(element)
        ).segments
        for i, day in enumerate(ALL_DAYS)
    ]
    return [
        np.concatenate([getattr(b, name) for b in blocks], axis=1) for name in ("flux", "flux_err", "flags")
    ]


def separations(survey) -> np.ndarray:
    """Distances of the objects from the field's centre in arcseconds, by astropy."""
    return SkyCoord(survey.ra, survey.dec, unit="deg").separation(SkyCoord(RA, DEC, unit="deg")).arcsec


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_says_what_a_scientist_asks_and_is_tested(name):
    file = sqlfile.find("examples", name)
    assert file.purpose.endswith(".")
    assert file.sections["Question"].endswith("?")
    tests = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    assert re.search(rf"ask\(\s*\"{name}\"", tests), "no test asks this example"


def test_cone_search(survey):
    distance = separations(survey)
    found = ask("cone_search", ra=RA, dec=DEC, radius=8)
    expected = np.flatnonzero(distance < 8)[np.argsort(distance[distance < 8])]
    assert [row.object_id for row in found] == survey.object_id[expected].tolist()
    np.testing.assert_allclose([row.distance_arcsec for row in found], distance[expected], rtol=1e-6)
    magnitude = (survey.flux["F146"][expected] * u.nJy).to_value(u.ABmag)
    np.testing.assert_allclose(
        [row.ab_mag for row in found], magnitude, rtol=0, atol=1e-4
    )  # 3631 and 3630.78 Jy


@pytest.mark.parametrize(
    ("days", "expected"), [({}, ALL_DAYS), ({"from_mjd": DAYS[1], "to_mjd": LATER_DAY}, DAYS[1:])]
)
def test_light_curve(survey, days, expected):
    found = ask("light_curve", object_id=int(survey.object_id[LENSED]), **days)
    times = np.concatenate([epochs_of(day, element).bjd_tdb for day in expected for element in EPOCHS_A_DAY])
    assert [row.midpoint_bjd_tdb for row in found] == sorted(times)
    if not days:
        flux, error, _ = photometry(survey, "F146")
        points = [(row.flux, row.flux_err) for row in found if row.optical_element == "F146"]
        np.testing.assert_array_equal(np.array(points, np.float32).T, [flux[LENSED], error[LENSED]])


def test_light_curves_in_cone(survey):
    found = {
        row.object_id: row
        for row in ask("light_curves_in_cone", ra=RA, dec=DEC, radius=9, optical_element="F087")
    }
    inside = separations(survey) < 9
    assert set(found) == set(survey.object_id[inside].tolist())
    flux, _, _ = photometry(survey, "F087")
    for i in np.flatnonzero(inside):
        np.testing.assert_array_equal(np.array(found[survey.object_id[i]].flux, np.float32), flux[i])


def test_brightest_stars(survey):
    found = ask("brightest_stars", limit=7)
    brightest = np.argsort(-survey.flux["F146"])[:7]
    assert [row.object_id for row in found] == survey.object_id[brightest].tolist()


def test_excess_scatter(survey):
    found = ask("excess_scatter", min_points=1, limit=1000)
    assert found[0].object_id == survey.object_id[LENSED]
    by_object = {row.object_id: row for row in found}
    flux, error, flags = photometry(survey, "F146")
    for i in range(N_OBJECT):
        counts = (flags[i] & EXCLUDING == 0) & np.isfinite(flux[i])
        f, w = flux[i][counts].astype(float), error[i][counts].astype(float) ** -2.0
        mean = np.average(f, weights=w)
        row = by_object[survey.object_id[i]]
        assert row.n_point == f.size
        np.testing.assert_allclose(row.mean_flux, mean, rtol=1e-9)
        np.testing.assert_allclose(row.reduced_chi2, np.sum(w * (f - mean) ** 2) / (f.size - 1), rtol=1e-7)
    # What must be added to the errors to bring the excess down to nothing.
    row = by_object[survey.object_id[LENSED]]
    f, e = flux[LENSED].astype(float), error[LENSED].astype(float)
    np.testing.assert_allclose(e, e[0])
    total = e[0] ** 2 + (row.excess_scatter * row.mean_flux) ** 2
    np.testing.assert_allclose(np.var(f, ddof=1) / total, 1, rtol=1e-6)


def test_astrometry(own_survey):
    object_id = int(own_survey.object_id[0])
    with session.transaction(session.Role.OWNER) as connection:
        for season in (1, 0):
            connection.exec_driver_sql(
                f"""
                SELECT ops.open_astrometry_season({season}::smallint);
                WITH s AS (
                    INSERT INTO roman.astrometric_solution (season, photometry_kind, healpix_order,
                        healpix_index, frame, n_exposure, n_frame_star, n_anchor, n_object,
                        parallax_zero_err, load_run_id)
                    VALUES ({season}, 'psf', 9, {object_id >> 40}, 'shift', 5, 12, 12, 1, 0.25, 1)
                    RETURNING astrometric_solution_id
                )
                INSERT INTO roman.object_astrometry (season, object_id, photometry_kind,
                    astrometric_solution_id, status, n_epoch, n_rejected, load_run_id)
                SELECT {season}, {object_id}, 'psf', astrometric_solution_id, 'too_few_epochs', {season}, 2, 1
                FROM s
                """
            )
    found = ask("astrometry", object_id=object_id)
    assert [(row.season, row.n_epoch, row.parallax_zero_err) for row in found] == [(0, 0, 0.25), (1, 1, 0.25)]
    assert ask("astrometry", object_id=object_id + 1) == []


def test_extinction(own_survey):
    object_id = int(own_survey.object_id[0])
    row = {"order": 10, "index": object_id >> 38}
    statement = sa.text("""
        INSERT INTO roman.extinction (
            healpix_order, healpix_index, optical_element, extinction, extinction_err,
            extinction_covariance_f146, clump_mag, clump_mag_err, clump_mag_intrinsic, n_star, status,
            load_run_id
        ) VALUES (:order, :index + :off, :element, :a, 0.05, :covariance, 15, 0.02, 14, 100, 'fitted', 1)
    """)
    with session.transaction() as connection:
        for off in (0, 1):
            for element, a, covariance in (("F087", 2.2, 0.0018), ("F146", 1.0, 0.0025)):
                more = {"element": element, "a": a + off, "covariance": covariance, "off": off}
                connection.execute(statement, row | more)
    blue, reference = ask("extinction", object_id=object_id)
    assert (blue.optical_element, reference.optical_element) == ("F087", "F146")
    assert (blue.extinction, blue.healpix_order) == pytest.approx((2.2, 10))
    assert blue.reddening == pytest.approx(1.2)
    assert blue.reddening_err == pytest.approx(np.sqrt(2 * 0.05**2 - 2 * 0.0018), rel=1e-4)
    assert (reference.reddening, reference.reddening_err) == pytest.approx((0.0, 0.0), abs=1e-4)


def test_variable_sources(own_survey):
    """Against all points; the flux of the static catalog is changed, to be told from the mean."""
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(
            "UPDATE roman.light_curve_summary SET reference_flux = reference_flux + 25"
        )
    found = ask("variable_sources", min_points=1, min_index=-1000, limit=1000)
    assert len(found) == 2 * N_OBJECT
    index = [row.variability_index for row in found]
    assert index == sorted(index, reverse=True)
    assert found[0].object_id == own_survey.object_id[LENSED]
    rows = {(row.object_id, row.optical_element): row for row in found}
    for element in EPOCHS_A_DAY:
        flux, error, flags = photometry(own_survey, element)
        for i in range(N_OBJECT):
            row = rows[own_survey.object_id[i], element]
            counts = (flags[i] & EXCLUDING == 0) & np.isfinite(flux[i])
            f, w = flux[i][counts].astype(float), error[i][counts].astype(float) ** -2.0
            static = float(np.float32(np.float32(own_survey.flux[element][i]) + 25))
            chi2 = np.sum(w * (f - np.average(f, weights=w)) ** 2)
            assert row.n_point == f.size
            np.testing.assert_allclose(row.reduced_chi2, chi2 / (f.size - 1), rtol=1e-7)
            np.testing.assert_allclose(row.static_reduced_chi2, np.mean(w * (f - static) ** 2), rtol=1e-6)
            # What is left of the distance from what chi-square gives by chance.
            expected = stats.norm.isf(stats.chi2.sf(chi2, f.size - 1))
            if abs(expected) < 3:
                np.testing.assert_allclose(row.variability_index, expected, atol=0.1)
    constant = [row.variability_index for row in found if row.object_id != own_survey.object_id[LENSED]]
    assert np.std(constant) == pytest.approx(1, abs=0.25)
    kept = ask("variable_sources", min_points=1, min_index=6, limit=1000)
    assert {row.object_id for row in kept} == {own_survey.object_id[LENSED]}


def test_static_catalog(own_survey):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(_STATIC)
    found = ask("static_catalog", ra=RA, dec=DEC, radius=1.5)
    assert [(row.object_id, row.optical_element, row.psf_flux) for row in found] == [
        (7, "F146", 100.0),
        (7, "F213", 100.0),
        (8, "F146", 100.0),
        (8, "F213", 100.0),
    ]
    assert found[0].colour_flux == 30
    assert found[0].colour_flux_err == pytest.approx(0.3)


#: Two catalogs of one cell, of which the second is current, of sources 1 arcsec apart.
_STATIC = f"""
INSERT INTO roman.sky_cell (name, ra, dec, orientat, pixel_scale, n_x, n_y, footprint, load_run_id)
VALUES ('c', {RA}, {DEC}, 0, 0.055, 10, 10, '{{}}', 1);
INSERT INTO roman.source_catalog (sky_cell_id, set_name, epoch_mjd_tdb, threshold, aper_radius,
    n_source, n_matched, n_new, catalog_path, catalog_sha256, segmentation_path, segmentation_sha256,
    superseded_at, load_run_id)
SELECT sky_cell_id, 's', 61465, 4.5, '{{0.1, 0.2, 0.4}}', 2, 2, 0, 'a', 'b', 'c', 'd',
    CASE WHEN k = 1 THEN now() END, 1
FROM roman.sky_cell, generate_series(1, 2) AS k;
INSERT INTO roman.source (source_catalog_id, label, object_id, parent_label, ra, dec, is_extended,
    warning_flags, image_flags, load_run_id)
SELECT source_catalog_id, n, 6 + n, n, {RA}, {DEC} + (n - 1) / 3600.0, false, 0, 0, 1
FROM roman.source_catalog, generate_series(1, 4) AS n;
INSERT INTO roman.source_photometry (source_catalog_id, label, optical_element, psf_flux, psf_flux_err,
    psf_flags, matched_flux, matched_flux_err, is_extended, load_run_id)
SELECT source_catalog_id, label, e, 100, 1, 0, '{{10, 20, 30}}', '{{0.1, 0.2, 0.3}}', false, 1
FROM roman.source, unnest(ARRAY['F146', 'F213']) AS e
"""


def test_exposures_of_object(survey):
    found = ask("exposures_of_object", object_id=int(survey.object_id[UNMEASURED]))
    expected = np.concatenate(
        [epochs_of(day, element).exposure_id for day in ALL_DAYS for element in EPOCHS_A_DAY]
    )
    assert [row.exposure_id for row in found] == sorted(expected)
    assert ask("exposures_of_object", object_id=1) == []


def test_exposures_expected(survey):
    """Of field 1 what was stored is found; expected is what counting the exposures of the season gives."""
    season_start = 61448
    found = ask("exposures_expected", from_mjd=DAYS[0], to_mjd=DAYS[-1] + 1)
    assert len(found) == 6 * 3 * len(DAYS)
    for row in found:
        interval = {"F146": 12.1, "F087": 360.0, "F213": 360.0}[row.optical_element]
        day = row.day_mjd - season_start
        starts = np.arange(0, 72 * 1440 / interval) * interval / 1440
        assert row.n_expected == ((starts >= day) & (starts < day + 1)).sum()
        stored = EPOCHS_A_DAY.get(row.optical_element, 0) if row.field == "gbtds-1" else 0
        assert (row.season, row.n_exposure, row.n_image) == (1, stored, stored)


def test_exposures_expected_ends_with_the_last_that_is_loaded(survey):
    days = {row.day_mjd for row in ask("exposures_expected")}
    assert (min(days), max(days), len(days)) == (61448, LATER_DAY, 72 + LATER_DAY - 61636 + 1)
    fields = {row.field for row in ask("exposures_expected", survey="gbtds-drm", to_mjd=61450)}
    assert fields == {f"gbtds-drm-{number}" for number in range(1, 8)}
    assert ask("exposures_expected", survey="none") == []


def test_exposures_of_region(survey):
    pixel = int(survey.object_id[0]) >> 30 << 30
    found = ask("exposures_of_region", moc=f"{{[5,6),[{pixel},{pixel + 2**30})}}")
    assert {row.optical_element: row.n_exposure for row in found} == {
        element: len(ALL_DAYS) * n for element, n in EPOCHS_A_DAY.items()
    }
    assert ask("exposures_of_region", moc="{[5,6)}") == []


def test_quality_trend(survey):
    found = ask("quality_trend", detector=DETECTOR)
    assert [row.day_mjd for row in found] == list(ALL_DAYS)
    # The first exposure drifts, the next was not measured, all others are as good as each other.
    assert (found[0].n_exposure, found[0].largest, found[0].n_out_of_limits) == (
        EPOCHS_A_DAY["F146"] - 1,
        12.5,
        1,
    )
    assert {(row.least, row.median, row.n_out_of_limits) for row in found[1:]} == {(1.5, 1.5, 0)}


def test_catalog_at_version(survey):
    found = ask("catalog_at_version", version=1, ra=RA, dec=DEC, radius=60)
    assert [row.object_id for row in found] == survey.object_id.tolist()
    moved = np.array([row.moved_mas for row in found])
    np.testing.assert_allclose(moved[0], 3.6 * np.cos(np.radians(survey.dec[0])), rtol=1e-3)
    assert not moved[1:].any()
    assert not any(row.moved_mas for row in ask("catalog_at_version", version=2, ra=RA, dec=DEC, radius=60))


def test_crossmatch(survey):
    found = ask("crossmatch", scene="scene")
    assert [(row.source_id, row.object_id) for row in found] == list(
        enumerate(survey.object_id[:10].tolist())
    )
    np.testing.assert_allclose([row.distance_mas for row in found], 10, rtol=1e-3)
    assert ask("crossmatch", scene="scene", radius=0.001) == []


@pytest.mark.parametrize(("x", "node"), [(0, 100), (3000, 2040), (3050, 4000)])
def test_psf_moments(survey, x, node):
    found = ask("psf_moments", detector=DETECTOR, x=x)
    assert [row.epoch_mjd_tdb for row in found] == [day + 0.1 for day in DAYS]
    assert {row.x for row in found} == {node}


def test_psf_library(survey):
    found = ask("psf_library")
    assert [(row.detector, row.epoch_mjd_tdb) for row in found] == [(DETECTOR, day + 0.1) for day in DAYS]
    for row in found:
        assert (row.n_star, row.sigma, row.e1, row.e2) == (10, 0.5, 0.01, -0.01)
        assert row.fwhm == pytest.approx(1 + (100 + 2040 + 4000) / 3e5, rel=1e-6)


def test_reference_psf_trend(survey):
    found = ask("reference_psf_trend")
    assert [(row.detector, row.start_mjd, row.n_failed) for row in found] == [
        (DETECTOR, start, number) for start, number in zip(SPANS, (0, 0, 1), strict=True)
    ]
    # The place that failed is in the last column: the mean of the others is that much smaller.
    mean = np.array(WIDTHS) * (1, 1, 1 - 0.02 / 24)
    np.testing.assert_allclose([row.fwhm for row in found], mean, rtol=1e-9)
    for row, width in zip(found, WIDTHS, strict=True):
        assert (row.least_fwhm, row.largest_fwhm) == pytest.approx((0.98 * width, 1.02 * width))
        assert (row.e1, row.e2, row.third_moment, row.fourth_moment) == pytest.approx((0.02, 0, 0, 0.82))
        assert (row.psf_n_star, row.psf_fraction_other_day) == (400, 0.25)
    assert found[0].fwhm_change is None
    np.testing.assert_allclose([row.fwhm_change for row in found[1:]], np.diff(mean), rtol=1e-9)
    slope = np.polyfit(np.array(SPANS) / 365.25, mean, 1)[0]
    np.testing.assert_allclose([row.fwhm_slope for row in found], slope, rtol=1e-6)
    assert len(ask("reference_psf_trend", from_mjd=SPANS[1], to_mjd=SPANS[2])) == 1
    assert ask("reference_psf_trend", optical_element="F213") == []


def test_rejected_inputs(survey):
    (row,) = ask("rejected_inputs")
    assert (row.source, row.code, row.task, row.remedy) == (
        "broken.asdf",
        "truncated",
        "run daily",
        "fetch it again",
    )
    assert ask("rejected_inputs", days=0) == []


def test_runs_of_object(survey):
    found = ask("runs_of_object", object_id=int(survey.object_id[UNMEASURED]))
    assert {row.optical_element: (row.n_block, row.n_point) for row in found} == {
        element: (len(ALL_DAYS), len(ALL_DAYS) * (n - 1)) for element, n in EPOCHS_A_DAY.items()
    }
    assert {(row.task, row.catalog, row.first_mjd, row.end_mjd) for row in found} == {
        ("run daily", "revised", DAYS[0], LATER_DAY + 1)
    }


def test_detection_efficiency(survey):
    """Counts as they were made; shares and intervals by astropy."""
    bright, faint = ask("detection_efficiency", injection="trial")
    for row, magnitude in ((bright, 20.2), (faint, 24.2)):
        assert row.magnitude_lower <= magnitude < row.magnitude_upper == row.magnitude_lower + 0.5
        assert (row.tp_count, row.fn_count) == (N_FOUND[magnitude], N_INJECTED - N_FOUND[magnitude])
        assert row.fp_count == N_SPURIOUS[magnitude]
        limits = binom_conf_interval(row.tp_count, N_INJECTED, ONE_SIGMA, "wilson")
        assert (row.completeness_lower, row.completeness_upper) == pytest.approx(tuple(limits))
        limits = binom_conf_interval(row.tp_count, row.tp_count + row.fp_count, ONE_SIGMA, "wilson")
        assert (row.reliability_lower, row.reliability_upper) == pytest.approx(tuple(limits))
    sparse = ask("detection_efficiency", injection="trial", max_density=100)
    assert [row.tp_count + row.fn_count for row in sparse] == [10, 10]
    assert [row.fp_count for row in sparse] == [0, 0]
    assert ask("detection_efficiency", injection="trial", product="none") == []


def test_event_efficiency(own_survey):
    """Cells of u_0 are added up, and those beyond the largest one are left out."""
    with session.transaction(session.Role.OWNER) as connection:
        run = "SELECT injection_run_id, load_run_id FROM roman.injection_run ORDER BY 1 LIMIT 1"
        key, load_run = connection.execute(sa.text(run)).one()
        connection.execute(
            sa.text("""
            INSERT INTO roman.injected_event
                (injection_run_id, injected_event_id, object_id, season, photometry_kind, kind, load_run_id)
            VALUES (:key, 1, 1, 2, 'psf', 'point_lens', :run)"""),
            {"key": key, "run": load_run},
        )
        connection.execute(
            sa.text("""
            INSERT INTO roman.event_recovery
                (injection_run_id, injected_event_id, binary_class, is_failed, classification, is_selected,
                 longest_run, has_planet, load_run_id)
            VALUES (:key, 1, 'TP', false, 'single_lens', true, 5, false, :run)"""),
            {"key": key, "run": load_run},
        )
        connection.execute(
            sa.text("""
            INSERT INTO roman.event_efficiency
            SELECT :key, 2, 1, 3, 20, 21, u, u + 0.5, 10, k, 0, k / 10.0, 0, 1, 625, :run, field
            FROM (VALUES (0, 9, 0), (0.5, 4, 0), (0, 3, 5)) AS cell (u, k, field)"""),
            {"key": key, "run": load_run},
        )
    # Of all fields those of one are left out, and the other way round.
    (row,) = ask("event_efficiency", season=2, inject_medium="images", field_id=5)
    assert (row.n_recovered, row.n_injected) == (3, 10)
    for largest, found, injected in ((1, 13, 20), (0.5, 9, 10)):
        (row,) = ask("event_efficiency", season=2, max_u_0=largest, inject_medium="images")
        assert (row.n_recovered, row.n_injected) == (found, injected)
        limits = binom_conf_interval(found, injected, ONE_SIGMA, "wilson")
        assert (row.completeness_lower, row.completeness_upper) == pytest.approx(tuple(limits))
    assert ask("event_efficiency", season=2) == []
    assert ask("event_efficiency", season=1, inject_medium="images") == []


def test_event_media(own_survey):
    """Each event in images beside that in light curves; what has no event is left out."""
    with session.transaction(session.Role.OWNER) as connection:
        run = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()
        keys = [
            insert(
                connection,
                "roman.injection_run",
                name=medium,
                inject_medium=medium,
                optical_element="F146",
                seed=1,
                n_source=2,
                parameters={},
                load_run_id=run,
            )
            for medium in ("lightcurve", "images")
        ]
        values = {"reference": keys[0], "images": keys[1], "run": run}
        statements = (
            "UPDATE roman.injection_run SET reference_injection_run_id = :reference "
            "WHERE injection_run_id = :images AND :run > 0",
            """INSERT INTO roman.injected_event
                (injection_run_id, injected_event_id, object_id, season, photometry_kind, kind, t_0,
                 load_run_id)
            SELECT key, number, 1, 2, 'psf', kind, 100 + number, :run
            FROM unnest(ARRAY[:reference, :images]::bigint[]) AS k (key),
                (VALUES (0, 'point_lens'), (1, 'untouched'), (4, 'point_lens')) AS e (number, kind)""",
            """INSERT INTO roman.event_recovery
                (injection_run_id, injected_event_id, binary_class, is_failed, classification, is_selected,
                 longest_run, has_planet, delta_chi2, load_run_id)
            SELECT key, number, CASE WHEN number = 1 THEN 'TN' WHEN key = :images AND number = 4 THEN 'FN'
                ELSE 'TP' END, false, 'single_lens', true, 5, false, key + number, :run
            FROM unnest(ARRAY[:reference, :images]::bigint[]) AS k (key),
                (VALUES (0), (1), (4)) AS e (number)""",
        )
        for statement in statements:
            connection.execute(sa.text(statement), values)
    rows = ask("event_media", season=2)
    assert [row.injected_event_id for row in rows] == [0, 4]
    assert [(row.is_found_images, row.is_found_lightcurve) for row in rows] == [(True, True), (False, True)]
    assert [row.delta_chi2_images for row in rows] == [keys[1], keys[1] + 4]
    assert [row.delta_chi2_lightcurve for row in rows] == [keys[0], keys[0] + 4]
    assert [row.true_t_0 for row in rows] == [100, 104]
    assert ask("event_media", season=1) == []


def test_catalog_reliability(survey):
    """Ten objects have a source nearby, of 1000 nJy each: real are those of the ten with such a flux."""
    found = ask("catalog_reliability", scene="scene", magnitude_step=100)
    flux = survey.flux["F146"]
    real = np.isin(np.arange(N_OBJECT), np.arange(10)) & (flux > 500) & (flux < 2000)
    # The flux of the first object is another in the second version, which changes nothing here.
    assert [(row.n_object, row.n_real) for row in found] == [(N_OBJECT, real.sum())]
    wide = ask("catalog_reliability", scene="scene", magnitude_step=100, flux_factor=1e6)
    assert [row.n_real for row in wide] == [10]
    assert wide[0].reliability == pytest.approx(10 / N_OBJECT)
    assert ask("catalog_reliability", scene="none") == []
