"""``roman-db simulate --mosaic``: a Level-3 image of every filter, valid, deep, and where the stars are."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels.datamodels as rdm

from tests.faults.command_line import roman_db

#: Arcseconds: half of a detector's pixel.
SCALE = 0.055

PARAMETERS = """
scene:
  stars: {density_per_arcmin2: 2000}
  variables: []
  events: []
  galaxies: {density_per_arcmin2: 0}
survey:
  duration_days: 0.02
  window: {x: 1000, y: 500, width: 48, height: 40}
  cadences:
    - {optical_element: F146, interval_minutes: 8.0, offset_minutes: 0.0, ma_table: SIM_66_6}
    - {optical_element: F087, interval_minutes: 30.0, offset_minutes: 4.0, ma_table: SIM_66_6}
"""


@pytest.mark.heavy
def test_every_filter_gets_a_mosaic(new_database, tmp_path):
    parameters, sky = tmp_path / "scene.yaml", tmp_path / "sky"
    parameters.write_text(PARAMETERS)
    done = roman_db("simulate", sky, "--parameters", parameters, "--mosaic", SCALE)
    assert done.code == 0, done.err
    paths = [line.removeprefix("Mosaic: ") for line in done.out.splitlines() if line.startswith("Mosaic: ")]
    assert len(paths) == 2
    truth = pq.read_table(sky / "truth.parquet").to_pydict()
    for path, element in zip(sorted(paths), ("F087", "F146"), strict=True):
        with rdm.open(path) as mosaic:
            mosaic.validate()
            assert mosaic.meta.instrument.optical_element == element
            data, wcs = np.asarray(mosaic.data), mosaic.meta.wcs
            assert data.shape == (80, 96)
            # The brightest stars inside are the brightest pixels about there.
            x, y = wcs.invert(np.array(truth["ra"]), np.array(truth["dec"]))
            inside = (x > 5) & (x < 90) & (y > 5) & (y < 74)
            order = np.argsort(np.where(inside, np.array(truth[f"mag_{element.lower()}"]), 99.0))
            for row in order[:3]:
                j, i = round(float(y[row])), round(float(x[row]))
                assert data[j - 2 : j + 3, i - 2 : i + 3].max() > np.percentile(data, 95)
