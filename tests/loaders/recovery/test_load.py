"""What is found goes into the database; completeness and reliability are what numpy counts."""

import numpy as np
import pytest
from astropy.stats import binom_conf_interval
from astropy.table import Table

from loaders.recovery.load import match_lists
from loaders.recovery.match import MatchOptions, MeasuredSources
from roman_db import migrate
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute


@pytest.fixture
def injected(loaded, survey, tmp_path):
    """An injection of 40 bright and faint stars into two exposures of a field with a catalog."""
    options = ("--random", 40, "--magnitudes", 18, 26, "--seed", 3, "--name", "trial")
    succeed("inject", *survey.exposures()[:2], *options, "--output", tmp_path / "out")
    return loaded


def sources(url):
    rows = execute(url, "SELECT ra, dec, true_flux FROM roman.injected_source ORDER BY injected_source_id")
    return np.array(rows).T


@pytest.mark.heavy
def test_forced_photometry_finds_the_bright_and_not_the_faint(injected):
    outcome = succeed("injection", "recover", "trial")
    assert "2 images read: 2 loaded" in outcome.out
    rows = np.array(
        execute(
            injected,
            "SELECT s.true_flux, r.is_detected, r.measured_flux, r.measured_flux_err, r.distance "
            "FROM roman.injection_recovery r JOIN roman.injected_source s "
            "USING (injection_run_id, injected_source_id)",
        ),
        dtype=float,
    )
    flux, detected = rows[:, 0], rows[:, 1].astype(bool)
    bright = (flux > 1500) & (flux < 1e5)
    assert 70 <= flux.size <= 80
    assert detected[bright].mean() > 0.8
    assert detected[flux < 250].mean() < 0.5 < detected[bright].mean()
    pull = (rows[:, 2] - flux) / rows[:, 3]
    assert np.median(pull[bright & detected]) == pytest.approx(0, abs=0.6)
    assert np.median(np.abs(pull[bright & detected])) < 2
    assert np.nanmedian(rows[bright, 4]) < 10
    again = succeed("injection", "recover", "trial")
    assert "2 images read: 2 loaded" in again.out
    assert execute(injected, "SELECT count(*) FROM roman.injection_recovery") == [(flux.size,)]
    report = succeed("injection", "report", "trial").out
    assert len(report.splitlines()) > 10
    assert roman_db("audit").code == 0


@pytest.mark.heavy
def test_efficiency_is_what_numpy_counts(injected):
    """Random lists: the counts by numpy, the intervals by astropy."""
    rng = np.random.default_rng(7)
    ra, dec, flux = sources(injected)
    seen = rng.uniform(size=ra.size) < 0.6
    spurious = flux[:8]
    after = MeasuredSources(
        np.append(ra[seen], ra[:8] + 5e-4),
        np.append(dec[seen], dec[:8] + 5e-4),
        np.append(flux[seen] * 1.1, spurious),
        np.append(flux[seen] * 0.05, spurious * 0.05),
    )
    none = MeasuredSources(*(np.empty(0) for _ in range(4)))
    counts = match_lists("trial", ("detection", 0), (after, none), MatchOptions())
    assert (counts.read, counts.loaded) == (1, 1)
    rows = execute(
        injected,
        "SELECT magnitude_lower, tp_count, fn_count, measured_count, fp_count, "
        "completeness, completeness_lower, completeness_upper, reliability, "
        "reliability_lower, reliability_upper, density_lower, density_upper "
        "FROM roman.detection_efficiency WHERE product = 'detection' ORDER BY 1",
    )
    magnitude = 31.400066 - 2.5 * np.log10(flux)
    for row in rows:
        assert row[11:] == (0, 100)
        own = np.floor(magnitude / 0.5) * 0.5 == row[0]
        as_measured = np.floor((magnitude - 2.5 * np.log10(1.1)) / 0.5) * 0.5 == row[0]
        false = (np.floor(magnitude[:8] / 0.5) * 0.5 == row[0]).sum()
        true = (as_measured & seen).sum()
        assert row[1:5] == ((own & seen).sum(), (own & ~seen).sum(), true, false)
        _check(row[5:8], (own & seen).sum(), own.sum())
        _check(row[8:11], true, true + false)
    assert sum(row[1] for row in rows) == seen.sum()
    assert sum(row[4] for row in rows) == 8


def _check(found, k, n):
    """A share and its limits, by astropy."""
    if n == 0:
        assert found == (None, None, None)
        return
    assert found[0] == pytest.approx(k / n)
    limits = binom_conf_interval(k, n, confidence_level=0.682689492137086, interval="wilson")
    assert found[1:] == (pytest.approx(limits[0], abs=1e-9), pytest.approx(limits[1], abs=1e-9))


def test_lists_in_files_are_matched(injected, tmp_path):
    ra, dec, flux = sources(injected)
    columns = {"ra": ra, "dec": dec, "flux_njy": flux, "flux_err": flux / 10, "flags": np.zeros(ra.size, int)}
    Table(columns).write(tmp_path / "after.ecsv")
    Table({name: values[:0] for name, values in columns.items()}).write(tmp_path / "before.ecsv")
    lists = ("--before", tmp_path / "before.ecsv", "--after", tmp_path / "after.ecsv")
    assert "1 images read: 1 loaded" in succeed("injection", "match", "trial", *lists).out
    found = "SELECT count(*), count(*) FILTER (WHERE is_detected) FROM roman.injection_recovery"
    assert execute(injected, found) == [(40, 40)]
    assert "1.000" in succeed("injection", "report", "trial", "--product", "detection").out


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("recover", "nobody"), "there is none of that name, but: trial"),
        (("report", "nobody"), "there is none of that name"),
        (("match", "trial", "--image", 9, "--before", "b.ecsv", "--after", "b.ecsv"), "has no image 9"),
        (("match", "trial", "--before", "c.ecsv", "--after", "b.ecsv"), "lacks flux_njy, flux_err"),
        (("match", "trial", "--before", "none.ecsv", "--after", "b.ecsv"), "no such file"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(injected, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    Table({"ra": [1.0], "dec": [1.0], "flux_njy": [1.0], "flux_err": [1.0]}).write("b.ecsv")
    Table({"ra": [1.0], "dec": [1.0]}).write("c.ecsv")
    outcome = roman_db("injection", *words)
    assert outcome.code != 0
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_wilson_limits_at_the_ends(loaded):
    migrate.ensure_current()
    for k, n in ((0, 10), (10, 10), (3, 7), (1, 1)):
        limits = binom_conf_interval(k, n, confidence_level=0.682689492137086, interval="wilson")
        found = execute(loaded, f"SELECT roman.wilson_limit({k}, {n}, -1), roman.wilson_limit({k}, {n}, 1)")
        np.testing.assert_allclose(found[0], limits, atol=1e-9)
    assert execute(loaded, "SELECT roman.wilson_limit(0, 0, 1)") == [(None,)]
