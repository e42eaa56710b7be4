"""Flags fit the stored type and can be described by code."""

import numpy as np

from loaders.photometry.flags import DESCRIPTION, PhotometryFlag


def test_flags_fit_into_an_unsigned_short():
    assert max(PhotometryFlag) <= np.iinfo(np.uint16).max
    assert len({int(flag) for flag in PhotometryFlag}) == len(PhotometryFlag)


def test_every_flag_is_one_bit_with_one_line_of_description():
    for flag in PhotometryFlag:
        assert int(flag).bit_count() == 1
        assert 10 < len(flag.description) < 100
        assert "\n" not in flag.description
    assert set(DESCRIPTION) == set(PhotometryFlag)
