"""ivoa.obsplan against the exposures from which it is made."""

from __future__ import annotations

import numpy as np
import pytest

from roman_db import session
from tests.roman_db.vo.test_obscore import rows


def test_each_visit_stands_once_for_each_element_with_its_exposures(survey):
    found = {
        (row["obs_id"], row["optical_element"]): row
        for row in rows("SELECT * FROM ivoa.obsplan WHERE execution_status = 'Performed'")
    }
    with session.reading() as connection:
        sql = (
            "SELECT visit_id, optical_element, exposure, exposure_time, exposure_start_time AS started, "
            'exposure_end_time AS ended, ra, "dec" FROM roman.exposure'
        )
        taken = [dict(row) for row in connection.exec_driver_sql(sql).mappings()]
    visits = {(one["visit_id"], one["optical_element"]) for one in taken}
    assert set(found) == visits
    for key, row in found.items():
        own = [one for one in taken if (one["visit_id"], one["optical_element"]) == key]
        assert row["n_exposure"] == len({one["exposure"] for one in own})
        seconds = (max(one["ended"] for one in own) - min(one["started"] for one in own)).total_seconds()
        assert (row["t_max"] - row["t_min"]) * 86_400 == pytest.approx(seconds, abs=1e-3)
        assert row["s_ra"] == pytest.approx(np.mean([one["ra"] for one in own]), abs=1e-6)
        assert row["s_dec"] == pytest.approx(np.mean([one["dec"] for one in own]), abs=1e-6)
        assert 0 < row["t_resolution"] <= row["t_exptime"] <= seconds + 1e-6
