"""Matrices of fluxes and flags as hypothesis draws them."""

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

shapes = st.tuples(st.integers(1, 6), st.integers(1, 9))
#: Every float of 32 bits: NaN, infinities, subnormal numbers and negative zero among them.
any_real = st.floats(width=32)
#: Mostly zero, mostly repeated, and every bit.
any_flag = st.one_of(st.just(0), st.sampled_from([1, 4, 65535]), st.integers(0, 65535))


def reals(shape, elements=any_real):
    return hnp.arrays("f4", shape, elements=elements)


def flags(shape):
    return hnp.arrays("u2", shape, elements=any_flag)
