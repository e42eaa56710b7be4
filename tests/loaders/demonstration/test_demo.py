"""``roman-db demo`` on a small scene: all of its steps, and the truth that it finds again."""

import re

import pytest

from tests.faults.command_line import roman_db
from tests.roman_db.conftest import execute

#: One optical element, a window of some hundred stars, events of hours.
SCENE = """
scene:
  stars: {density_per_arcmin2: 9000}
  variables: []
  events:
    - {kind: single_lens, number: 16, t_einstein: [0.02, 0.04], u0: [0.1, 0.3], rho: [0.0005, 0.002],
       t0: [0.4, 0.6], magnitude: [17.0, 21.5]}
  galaxies: {density_per_arcmin2: 0}
survey:
  window: {x: 1900, y: 1900, width: 128, height: 128}
  cadences:
    - {optical_element: F146, interval_minutes: 12.1, offset_minutes: 0.0, ma_table: SIM_66_6}
"""

STARS = r"Truth recovered: ([\d,]+) points of ([\d,]+) stars, bias (\S+) mmag .* scatter (\S+) times"
EVENT = r"Event: brightened (\S+) times .* in truth (\S+); chi2 about the truth (\d+) for (\d+) points"


def numbers(pattern: str, text: str) -> list[float]:
    """Numbers of a line."""
    found = re.search(pattern, text)
    assert found is not None, text
    return [float(number.replace(",", "")) for number in found.groups()]


@pytest.mark.timeout(600)
def test_the_demonstration_finds_the_truth_again(database, tmp_path):
    parameters, directory = tmp_path / "scene.yaml", tmp_path / "demo"
    parameters.write_text(SCENE)
    done = roman_db("demo", "--directory", directory, "--days", "0.07", "--parameters", parameters)
    assert done.code == 0, done.err
    n_epoch = len(list(directory.glob("*_cal.asdf")))
    assert n_epoch == 9  # of 0.07 days, every 12.1 minutes

    n_point, n_star, bias, pull = numbers(STARS, done.out)
    catalogued = execute(database, "SELECT count(*) FROM roman.object")[0][0]
    assert 50 < n_star <= catalogued
    assert n_star < n_point <= n_star * n_epoch
    assert abs(bias) < 25  # so few pixels and stars hold the zero point of the PSF to a per cent or two
    assert 0.8 < pull < 1.4

    peak, truth, chi2, n = numbers(EVENT, done.out)
    assert truth > 2
    assert peak == pytest.approx(truth, rel=0.1)
    assert n <= n_epoch
    assert chi2 < 100 * n  # about a constant star it is above 10,000 a point
    assert (directory / "microlensing.png").stat().st_size > 10_000
    object_id = int(re.search(r"lightcurve --id (\d+)", done.out).group(1))
    kinds = execute(
        database,
        "SELECT s.kind FROM roman.object_alias a JOIN roman.simulated_source s "
        f"ON s.source_id = a.source_id::bigint WHERE a.object_id = {object_id}",
    )
    assert kinds == [("single_lens",)]
