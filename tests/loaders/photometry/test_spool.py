"""Photometry that waited on disk is as it was."""

import dataclasses

import numpy as np
import pytest

from loaders.light_curve.load import empty_measurements
from loaders.photometry.spool import spool
from tests.loaders.light_curve.synthetic import object_ids, photometry


def arrays(value) -> list[np.ndarray]:
    """All arrays within a dataclass, in order."""
    if isinstance(value, np.ndarray):
        return [value]
    parts = value if isinstance(value, (list, tuple)) else vars(value).values()
    return [array for part in parts for array in arrays(part)]


@pytest.mark.parametrize("shapes", ["some", "none"])
def test_what_is_read_back_is_what_was_written(tmp_path, shapes):
    written = photometry(1, object_ids(30), 5)
    if shapes == "none":
        written = dataclasses.replace(written, shape=empty_measurements(5, 7))
    read = spool(written, tmp_path / "day.npz")()
    assert len(arrays(read)) == len(arrays(written)) == 21
    for found, expected in zip(arrays(read), arrays(written), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
