"""What is said of inputs that cannot be used."""

import pickle

from loaders.rejection import Rejected, unexpected


def test_what_nobody_foresaw_comes_through_a_pool_with_its_place_in_the_code():
    try:
        {}["exposure_start_time"]
    except KeyError as error:
        rejected = pickle.loads(pickle.dumps(unexpected("a.asdf", error)))
    assert isinstance(rejected, Rejected)
    assert (rejected.where, rejected.code) == ("a.asdf", "unexpected_error")
    assert rejected.what == "the loader failed on it with KeyError: 'exposure_start_time'"
    assert "test_rejection.py" in rejected.trace
    assert pickle.loads(pickle.dumps(Rejected("a", "b", "c", "d"))).trace is None


def test_long_messages_are_cut_and_empty_ones_left_out():
    assert len(unexpected("a", ValueError("x\n" * 1000)).what) < 250
    assert unexpected("a", ValueError()).what.endswith("with ValueError")
