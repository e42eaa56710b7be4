"""The merged catalog measured in single exposures: every object, extended ones too, in apertures."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.command_line import roman_db, succeed
from tests.loaders.static_catalog.field import N_EXPOSURE, make_field
from tests.roman_db.conftest import execute

APERTURES = ("run", "daily", "--optical-element", "F158", "--aperture")

_CURVES = """
SELECT m.reference_flux, m.mean_flux, m.sum_weight, m.weighted_m2, m.n_point, s.is_extended, m.n_flagged
FROM roman.light_curve_summary m JOIN roman.light_curve_block b USING (block_id, start_mjd)
JOIN roman.source s USING (object_id)
WHERE b.photometry_kind = 'aperture' AND b.superseded_at IS NULL AND s.image_flags = 0
"""


@pytest.mark.heavy
def test_extended_objects_have_light_curves_in_apertures(new_database, tmp_path):
    field = make_field(tmp_path / "field")
    succeed("load", "exposure", field.folder)
    succeed("load", "mosaic", field.folder)
    succeed("run", "static-catalog", "--products", tmp_path / "products")
    first = succeed(*APERTURES)
    assert f"blocks of {N_EXPOSURE} exposures" in first.out
    columns = [np.array(values) for values in zip(*execute(new_database, _CURVES), strict=True)]
    static, mean, weight, chi2, n_point = (one.astype(float) for one in columns[:5])
    extended = columns[5]
    assert (n_point > 0).sum() > 20
    for kind in (extended, ~extended):
        bright = kind & (mean * np.sqrt(weight) > 30)
        assert bright.sum() >= 3
        # The light in the same aperture of the mosaic, whose PSF and sky are slightly others.
        assert np.median(mean[bright] / static[bright]) == pytest.approx(1, abs=0.04)
    # Nothing varies: chi-square is what noise gives.
    whole = n_point == N_EXPOSURE
    assert chi2[whole].sum() / (n_point[whole] - 1).sum() == pytest.approx(1, abs=0.35)
    blocks = execute(new_database, "SELECT photometry_kind, psf_model_id FROM roman.light_curve_block")
    assert set(map(repr, blocks)) == {repr(("aperture", [None] * N_EXPOSURE))}
    assert succeed(*APERTURES).out.startswith("Run 5: 0 units done")
    assert "1 units done" in succeed(*APERTURES, "--redo").out
    current = "SELECT count(*) FROM roman.light_curve_block WHERE superseded_at IS NULL"
    assert execute(new_database, current) == [(1,)]
    assert roman_db(*APERTURES, "--fit-positions").code == 2
    found = succeed(
        "query", "--example", "variable_sources", "--param", "photometry_kind=aperture",
        "--param", "min_points=2", "--param", "min_index=5", "--format", "csv",
    )  # fmt: skip
    assert len(found.out.splitlines()) == 1  # the names of the columns: nothing varies
    assert succeed("audit").code == 0
