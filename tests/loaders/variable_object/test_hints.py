"""Each hint by traits that have it."""

import numpy as np
import pytest

from loaders.variable_object.hints import Traits, hint


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        (Traits(-10, 0.9, 20.0, 0.0, 0.0, 0.5), "periodic"),
        (Traits(-10, 0.9, 20.0, 0.0, -2.0, 0.5), "eclipsing"),
        (Traits(-10, 0.9, 2.5, 0.0, 3.0, 0.2), "brightening"),
        (Traits(-10, 0.3, 20.0, 0.9, 0.0, 0.1), "trend"),
        (Traits(-2, 0.9, 20.0, 0.0, 0.0, 1.9), "scatter"),
        (Traits(-2, 0.1, 20.0, 0.0, 3.0, 0.2), "brightening"),
        (Traits(-2, 0.1, 20.0, 0.0, -3.0, 0.2), "fading"),
        (Traits(-2, 0.1, 20.0, 0.0, 0.0, 0.2), "irregular"),
        (Traits(np.nan, np.nan, 20.0, np.nan, 0.0, 0.2), "irregular"),
    ],
)
def test_the_first_that_holds(traits, expected):
    assert hint(traits) == expected
