"""MulensModel as a peer, where it is installed."""

import warnings

import pytest


def mulens_model():
    """The package MulensModel; the test is skipped without it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "MulensModel", reason="the peer MulensModel is not installed (bench/requirements.txt)"
        )
