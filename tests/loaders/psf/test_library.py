"""The choice among library entries: nearest, limited."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loaders.psf.library import Entries, Limits, choose

F146 = ("WFI07", "F146")


def entries(epochs: list[float], n_star: int = 500, chi2: float = 1.0, residual: float = np.nan) -> Entries:
    n = len(epochs)
    numbers = (np.full(n, value) for value in (n_star, chi2, residual))
    return Entries(np.full(n, "WFI07"), np.full(n, "F146"), np.array(epochs), *numbers)


def test_the_nearest_serves_and_of_two_equally_near_the_earlier():
    library = entries([100.0, 110.0, 104.0])
    served = {99.0: 0, 101.0: 0, 102.0: 0, 102.9: 2, 104.0: 2, 107.5: 1, 120.0: 1}
    assert {epoch: choose(library, F146, epoch) for epoch in served} == served


def test_bad_and_distant_entries_do_not_serve():
    limits = Limits(min_star=100, max_chi2=2.0, max_gap=5.0)
    assert choose(entries([100.0], n_star=99), F146, 100.0, limits) is None
    assert choose(entries([100.0], chi2=2.1), F146, 100.0, limits) is None
    assert choose(entries([100.0], chi2=np.nan), F146, 100.0, limits) is None
    assert choose(entries([100.0]), F146, 105.1, limits) is None
    assert choose(entries([100.0]), ("WFI08", "F146"), 100.0, limits) is None
    assert choose(entries([100.0]), ("WFI07", "F087"), 100.0, limits) is None
    assert choose(entries([]), F146, 100.0) is None


def test_what_fits_bright_stars_serves_whatever_its_chi_square():
    limits = Limits(max_chi2=2.0, max_residual=0.02)
    assert choose(entries([100.0], chi2=20.0, residual=0.019), F146, 100.0, limits) == 0
    assert choose(entries([100.0], chi2=20.0, residual=0.021), F146, 100.0, limits) is None
    assert choose(entries([100.0], chi2=1.0, residual=0.2), F146, 100.0, limits) == 0


@given(
    epochs=st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=8),
    epoch=st.floats(0, 100, allow_subnormal=False),
)
def test_none_is_nearer(epochs, epoch):
    library = entries(epochs)
    chosen = choose(library, F146, epoch, Limits(max_gap=1000.0))
    assert abs(library.epoch[chosen] - epoch) == np.abs(library.epoch - epoch).min()
