"""Names of files and tables of places, where light curves state neither."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.external_light_curve.layout import Layout, PlacesFile, layout_of, with_name
from loaders.external_light_curve.naming import parts_of
from loaders.external_light_curve.places import chosen, read_places
from loaders.rejection import Rejected

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1)


@given(WORDS, WORDS, st.text(st.characters(exclude_characters="*{}", exclude_categories=["C"]), min_size=1))
def test_what_a_name_is_made_of_comes_back(name, band, mark):
    """Letters and digits beside a mark that has none of them can be told from it in one way alone."""
    mark = "." + re.sub(r"\w", "-", mark) + "."
    made = f"n{mark}{band}{mark}{name}.txt"
    assert parts_of(made, f"*{mark}{{band}}{mark}{{object}}.txt") == {"band": band, "object": name}


@pytest.mark.parametrize("template", ["phot.dat", "{star}.dat", "{object}{object}", "{}.dat"])
def test_a_template_names_what_there_is(template):
    with pytest.raises(Rejected, match="must name") as caught:
        layout_of({"file_name": template}, "options")
    assert caught.value.code == "bad_layout"


def test_a_name_unlike_the_template_is_refused():
    layout = Layout(file_name="phot.{object}.dat")
    assert with_name(layout, Path("/data/phot.12.dat")).object == "12"
    with pytest.raises(Rejected, match=r"lc12\.dat is not like phot\.\{object\}\.dat") as caught:
        with_name(layout, Path("/data/lc12.dat"))
    assert caught.value.code == "bad_file_name"


def test_places_by_usual_names_of_columns(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("event,ra,dec\nA,268.1,-29.1\nB,-91.8,-29.2\nC,nan,-29.3\nD,268.4,-129.4\n")
    assert read_places(PlacesFile(str(path))) == {"A": (268.1, -29.1), "B": (pytest.approx(268.2), -29.2)}


def test_places_by_number_of_columns_and_numbers_with_zeros(tmp_path):
    path = tmp_path / "events.txt"
    path.write_text("f001 1 268.1 -29.1\nf002 2 268.2 -29.2\n")
    layout = layout_of(
        {"places": {"file": str(path), "object": "col2", "ra": "col3", "dec": "col4"}}, "options"
    )
    places = read_places(layout.places)
    assert chosen(places, ["001", "2", "003"]) == {"001": (268.1, -29.1), "2": (268.2, -29.2)}
    # Names that are there as they are count as they are.
    assert chosen({"1": (1.0, 1.0), "01": (2.0, 2.0)}, ["01"]) == {"01": (2.0, 2.0)}


def test_a_table_of_places_without_them(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("event,ra\nA,268.1\n")
    with pytest.raises(Rejected, match="that of the dec among event, ra") as caught:
        read_places(PlacesFile(str(path)))
    assert caught.value.code == "missing_column"
    for wrong in (3, {"object": "A"}, {"file": "a", "declination": "b"}):
        with pytest.raises(Rejected) as caught:
            layout_of({"places": wrong}, "options")
        assert caught.value.code == "bad_layout"
