"""Each picture of efficiency: asked for by its name, with each cell, drawn where shares are unknown, too."""

import pytest
from matplotlib.collections import PolyCollection

from loaders.event_efficiency.cells import VIEWS
from loaders.event_efficiency.commands import export_efficiency
from loaders.event_efficiency.statements import CELLS
from tests.loaders.season_report.made_up_efficiency import efficiency


def test_pictures_are_those_that_can_be_asked_for():
    (option,) = [one for one in export_efficiency.params if one.name == "picture"]
    assert list(VIEWS) == list(CELLS) == list(option.type.choices)


def _drawn(axes):
    """Shares of coloured cells, and how many cells are grey."""
    grey, coloured = (one for one in axes.collections if isinstance(one, PolyCollection))
    return sorted(coloured.get_array().tolist()), len(grey.get_paths())


@pytest.mark.parametrize("name", list(VIEWS))
def test_every_cell_is_coloured_by_its_share_or_grey(name):
    cells = efficiency()[name]
    panels = VIEWS[name].figure(cells, "test").axes
    shares = ["completeness", "reliability"] if name == "sky" else [VIEWS[name].grid.share]
    for axes, share in zip(panels[: len(shares)], shares, strict=True):
        known = sorted(cell[share] for cell in cells if cell[share] is not None)
        coloured, grey = _drawn(axes)
        assert coloured == pytest.approx(known)
        assert len(coloured) + grey == len(cells)


def test_a_grid_says_of_how_many_each_share_is():
    axes = VIEWS["reliability"].figure(efficiency()["reliability"], "test").axes[0]
    said = [text.get_text() for text in axes.texts]
    assert said.count("–") == 3
    assert any(one.startswith("91 ± ") and one.endswith("\n33") for one in said)
    # Bright stars are at the top.
    assert axes.get_ylim() == (24.0, 16.0)


def test_a_sky_without_a_share_is_grey(tmp_path):
    unknown = {f"reliability{end}": None for end in ("", "_lower", "_upper")}
    cells = [cell | unknown for cell in efficiency()["sky"]]
    figure = VIEWS["sky"].figure(cells, "test")
    assert _drawn(figure.axes[1]) == ([], len(cells))
    figure.savefig(tmp_path / "sky.png")
