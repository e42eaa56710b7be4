"""Values as JSON, and coverage as maps."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import cdshealpix
import numpy as np
from astropy import units
from astropy.coordinates import Latitude, Longitude
from mocpy import MOC

from roman_db.portal.answer import json_response, plain
from roman_db.portal.coverage import moc_of


def test_what_is_not_a_number_is_null():
    document = {
        "a": np.array([1.0, np.nan, np.inf]),
        "b": np.array([1, 2**40]),
        "c": float("nan"),
        "d": np.float32(0.5),
        "e": [datetime(2027, 1, 1, tzinfo=UTC), Decimal("1.5")],
        "f": np.array(["x"]),
        "g": None,
        "h": True,
    }
    found = json.loads(json_response(document).body)
    assert found == {
        "a": [1.0, None, None], "b": [1, 2**40], "c": None, "d": 0.5, "e": ["2027-01-01T00:00:00+00:00", 1.5],
        "f": ["x"], "g": None, "h": True,
    }  # fmt: skip
    assert plain((1, "é")) == [1, "é"]


def test_coverage_is_the_sky_of_its_ranges():
    ra, dec = Longitude([268.0] * units.deg), Latitude([-29.0] * units.deg)
    pixel = int(cdshealpix.lonlat_to_healpix(ra, dec, 9)[0])
    ranges = f"{{[{pixel << 40},{(pixel + 2) << 40})}}"
    found = MOC.from_json(moc_of(ranges))
    assert found.degrade_to_order(9) == MOC.from_healpix_cells(np.array([pixel, pixel + 1]), 9, 9)
    assert found.sky_fraction == 2 / (12 * 4**9)
    assert not any(moc_of("{}").values())
