"""The pages of a season and of its events: whole, in words for everybody, with links that lead somewhere."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.report.page import run_page
from loaders.season_report.attention import of_season
from loaders.season_report.page import season_page, write_event
from loaders.season_report.posterior_picture import draw_posterior
from tests.loaders.report import made_up as made_up_run
from tests.loaders.report.test_page import Elements, check
from tests.loaders.season_report import made_up


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the pages of a season and of its two events."""
    folder = tmp_path_factory.mktemp("season")
    events = [write_event(made_up.event(), folder), write_event(made_up.bare(), folder)]
    season = season_page(made_up.season(), events, 6.0, folder)
    run = made_up_run.run(mode="season", arguments={"season": 1})
    page = run_page(run, [], list(of_season(made_up.season())), season)
    (folder / "index.html").write_text(page)
    return folder


@pytest.mark.heavy
def test_the_page_of_an_event_is_whole(written):
    elements = check((written / "event_5.html").read_text(), written)
    # Whole, close, peak and residuals.
    assert len(elements.of("img")) == 4
    text = elements.text
    for words in (
        "51234.0",
        "2461480.000 ± 0.010",
        "0.1000 ± 0.0020",
        "8 ± –",
        "90.0",
        "Mtot",
        "0.31",
        "mass measured",
    ):
        assert words in text
    assert f"roman-db lightcurve --id {2**60 + 1}" in text
    assert "blend in F087" in text
    links = [link["href"] for link in elements.of("a")]
    assert "event_6.html" in links
    assert "index.html" in links


@pytest.mark.heavy
def test_the_page_of_the_run_shows_the_season(written):
    elements = check((written / "index.html").read_text(), written)
    for words in ("567,890", "outburst", "refused", "constant_chi2 is 1.9", "events: 2", "0.989"):
        assert words in elements.text
    # Index, locus, sky, times, six of efficiency, and the small picture of the event that has a model.
    assert len(elements.of("img")) == 11
    for words in ("Completeness of planets", "Reliability by field and magnitude", "0.030", "225"):
        assert words in elements.text
    assert {"event_5.html", "event_6.html"} <= {link["href"] for link in elements.of("a")}


@pytest.mark.heavy
def test_a_posterior_is_drawn_where_it_was_sampled(tmp_path):
    rng, model = np.random.default_rng(1), made_up.model()
    value = model.model.value
    sample = {name: one + 0.01 * rng.normal(size=300) for name, one in value.items()}
    # What does not vary is not drawn: then t_0 and u_0 are left, and then nothing to hold against each other.
    for fixed, number in ((), 3), (("t_E",), 2), (("t_E", "u_0"), 0):
        mine = sample | {name: np.full(300, value[name]) for name in fixed}
        sampled = replace(model, model=replace(model.model, sample=mine))
        picture = draw_posterior(made_up.event(models=[sampled]), "event_5")
        assert (len(picture.figure.axes) if picture else 0) == number**2
    write_event(made_up.event(models=[replace(model, model=replace(model.model, sample=sample))]), tmp_path)
    for other in ("index.html", "event_6.html"):
        (tmp_path / other).touch()
    elements = check((tmp_path / "event_5.html").read_text(), tmp_path)
    assert "event_5_posterior.png" in {image["src"] for image in elements.of("img")}


@pytest.mark.heavy
def test_an_event_without_models_says_so(written):
    elements = check((written / "event_6.html").read_text(), written)
    assert not elements.of("img")
    for words in ("no current model", "There is none.", "Nothing has been computed", "None is catalogued"):
        assert words in elements.text


def test_a_kind_of_model_that_is_unknown_is_listed_and_not_drawn(tmp_path):
    one = made_up.model(name="3L1S")
    summary = write_event(made_up.event(models=[one], neighbours=[]), tmp_path)
    assert summary.thumbnail is None
    text = Elements((tmp_path / "event_5.html").read_text()).text
    assert "3L1S" in text
    assert "cannot be drawn" in text


def test_pictures_of_before_are_taken_away(tmp_path):
    for name in ("event_5_old.png", "event_55_whole.png"):
        (tmp_path / name).touch()
    write_event(replace(made_up.bare(), event_id=5), tmp_path)
    assert not (tmp_path / "event_5_old.png").exists()
    assert (tmp_path / "event_55_whole.png").exists()


@pytest.mark.heavy
def test_hostile_names_are_escaped(tmp_path):
    bad = made_up_run.HOSTILE
    one = made_up.model(software=bad)
    write_event(made_up.event(classification=bad, models=[one], neighbours=[]), tmp_path)
    page = (tmp_path / "event_5.html").read_text()
    assert bad not in page
    assert bad in Elements(page).text


def test_a_season_without_anything_says_so(tmp_path):
    empty = made_up.season(
        elements=[], variability=None, reasons=[], einstein_time={}, efficiency={}, detections=[], metrics=[],
        sky=replace(made_up.season().sky, candidates=made_up.season().sky.candidates[:0],
                    classification=made_up.season().sky.classification[:0],
                    is_event=made_up.season().sky.is_event[:0]),
    )  # fmt: skip
    season = season_page(empty, [], 6.0, tmp_path)
    assert not season.pictures
    text = Elements(run_page(made_up_run.run(), [], list(of_season(empty)), season)).text
    for words in ("Nothing brightened", "Nothing was measured yet", "no described light curves"):
        assert words in text


@pytest.mark.heavy
@pytest.mark.parametrize("fitted", [True, False])
def test_a_map_is_drawn_where_there_is_a_red_clump(tmp_path, fitted):
    facts = made_up.season(extinction=made_up.extinction(fitted=fitted))
    pictures = season_page(facts, [], 6.0, tmp_path).pictures
    assert (tmp_path / "season_extinction.png").exists() == fitted
    assert [one.alt for one in pictures if "red clump" in one.alt] == (
        ["Maps of the extinction in F146, of reddening, and of their errors: 4 of 4 cells have a red clump."]
        if fitted
        else []
    )
