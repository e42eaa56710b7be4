"""Flags as runs: nothing lost, nothing kept twice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from loaders.light_curve.flag_run import encode_flag_run, expand_flag_run
from tests.loaders.light_curve import strategies


@settings(deadline=None)
@given(strategies.shapes.flatmap(strategies.flags))
def test_round_trip(flags):
    np.testing.assert_array_equal(expand_flag_run(encode_flag_run(flags), flags.shape[1]), flags)


@settings(deadline=None)
@given(strategies.shapes.flatmap(strategies.flags))
def test_runs_are_those_of_itertools(flags):
    runs = encode_flag_run(flags)
    for i, row in enumerate(flags.tolist()):
        expected, at = [], 0
        for bits, group in itertools.groupby(row):
            length = len(list(group))
            if bits:
                expected.append(at * 2**32 + length * 2**16 + bits)
            at += length
        assert runs.run[runs.start[i] : runs.start[i + 1]].tolist() == expected


def test_the_longest_block():
    flags = np.full((1, 65_535), 65_535, "u2")
    runs = encode_flag_run(flags)
    assert runs.run.size == 1
    np.testing.assert_array_equal(expand_flag_run(runs, 65_535), flags)


def test_a_longer_block_is_refused():
    with pytest.raises(ValueError, match="at most 65535 epochs, got 65536"):
        encode_flag_run(np.zeros((1, 65_536), "u2"))
