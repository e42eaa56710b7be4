"""The choice among library entries: nearest, blended, limited."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.psf.library import Choice, Entries, Limits, choose, combine
from loaders.psf.model import EffectivePsf

F146 = ("WFI07", "F146")


def entries(epochs: list[float], n_star: int = 500, chi2: float = 1.0) -> Entries:
    n = len(epochs)
    return Entries(
        np.full(n, "WFI07"), np.full(n, "F146"), np.array(epochs), np.full(n, n_star), np.full(n, chi2)
    )


def psf(level: float, nodes: int = 1) -> EffectivePsf:
    where = np.linspace(0, 100, nodes) if nodes > 1 else np.zeros(1)
    stamps = level * np.ones((nodes, nodes, 9, 9)) * (1 + np.arange(nodes))[None, :, None, None]
    return EffectivePsf(stamps, 4, where, where)


def test_between_two_epochs_entries_are_blended_linearly():
    choice = choose(entries([100.0, 110.0, 104.0]), F146, 101.0)
    assert choice.index.tolist() == [0, 2]
    assert choice.weight == pytest.approx([0.75, 0.25])
    blended = combine(choice, [psf(1.0), psf(9.0), psf(5.0)])
    assert blended.stamps == pytest.approx(2.0)


def test_nearest_without_blending():
    choice = choose(entries([100.0, 104.0]), F146, 102.9, blend=False)
    assert choice.index.tolist() == [1]
    assert choose(entries([100.0, 104.0]), F146, 102.0, blend=False).index.tolist() == [0]


def test_at_an_epoch_and_beyond_the_ends_one_entry_serves():
    for epoch, index in ((104.0, 1), (99.0, 0), (120.0, 2)):
        choice = choose(entries([100.0, 104.0, 110.0]), F146, epoch)
        assert choice.index.tolist() == [index]
        assert choice.weight.tolist() == [1.0]


def test_bad_and_distant_entries_do_not_serve():
    limits = Limits(min_star=100, max_chi2=2.0, max_gap=5.0)
    assert choose(entries([100.0], n_star=99), F146, 100.0, limits) is None
    assert choose(entries([100.0], chi2=2.1), F146, 100.0, limits) is None
    assert choose(entries([100.0], chi2=np.nan), F146, 100.0, limits) is None
    assert choose(entries([100.0]), F146, 105.1, limits) is None
    assert choose(entries([100.0]), ("WFI08", "F146"), 100.0, limits) is None
    assert choose(entries([100.0]), ("WFI07", "F087"), 100.0, limits) is None
    assert choose(entries([]), F146, 100.0) is None


@given(
    epochs=st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=8),
    epoch=st.floats(0, 100, allow_subnormal=False),
)
def test_weights_sum_to_one_and_reproduce_the_epoch(epochs, epoch):
    library = entries(epochs)
    choice = choose(library, F146, epoch, Limits(max_gap=1000.0))
    assert choice.weight.sum() == pytest.approx(1)
    assert (choice.weight >= 0).all()
    if choice.index.size == 2:
        assert (choice.weight * library.epoch[choice.index]).sum() == pytest.approx(epoch, abs=1e-9)
    else:
        nearest = np.abs(library.epoch - epoch).min()
        assert abs(library.epoch[choice.index[0]] - epoch) == nearest


def test_psfs_with_other_nodes_are_read_at_those_of_the_first():
    choice = Choice(np.array([0, 1]), np.array([0.5, 0.5]))
    blended = combine(choice, {0: psf(1.0), 1: psf(2.0, nodes=2)})
    assert blended.stamps.shape == (1, 1, 9, 9)
    assert blended.stamps == pytest.approx(1.5)


def test_psfs_of_another_form_are_refused():
    choice = Choice(np.array([0, 1]), np.array([0.5, 0.5]))
    coarse = EffectivePsf(np.ones((1, 1, 9, 9)), 2, np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="must share"):
        combine(choice, [psf(1.0), coarse])
