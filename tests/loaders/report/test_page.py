"""The pages: whole, in words for everybody, with links that lead somewhere."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest

from loaders.report.attention import of_image, of_run
from loaders.report.drawing import draw_reference, draw_small
from loaders.report.flag_counts import count_flags
from loaders.report.page import reference_page, run_page, summary
from loaders.report_page.render import digits, duration, fixed, measured
from tests.loaders.report import made_up


class Elements(HTMLParser):
    """Elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with all pictures of an image, and what they are."""
    folder = tmp_path_factory.mktemp("report")
    return folder, draw_reference(made_up.reference(), folder), draw_small(made_up.reference(), folder)


def of_reference(facts, pictures, folder=None, index="index.html"):
    page = reference_page(facts, pictures, list(of_image(facts)), index)
    if folder is not None:
        (folder / "reference_7.html").write_text(page)
    return page


def indexed(run, facts, thumbnail, folder):
    page = run_page(run, [summary(facts, thumbnail)], [*of_run(run), *of_image(facts)])
    (folder / "index.html").write_text(page)
    return page


def check(page, folder):
    """Pictures have words and sizes, links lead to files beside the page, nothing comes from elsewhere."""
    elements = Elements(page)
    for image in elements.of("img"):
        assert len(image["alt"]) > 20
        assert int(image["width"]) > 100
        assert int(image["height"]) > 100
    links = [link["href"] for link in elements.of("a")] + [image["src"] for image in elements.of("img")]
    assert links
    named = {attributes["id"] for _, attributes in elements.all if "id" in attributes}
    for link in links:
        assert ":" not in link
        file, _, place = unquote(link).partition("#")
        assert (folder / file).is_file() if file else place in named
    for section in elements.of("section"):
        assert section["aria-labelledby"] in named
    assert not elements.of("script")
    assert not elements.of("link")
    assert elements.of("html") == [{"lang": "en"}]
    assert "prefers-color-scheme: dark" in page
    return elements


def test_pages_are_whole(drawn):
    folder, pictures, thumbnail = drawn
    facts, run = made_up.reference(), made_up.run()
    index, page = indexed(run, facts, thumbnail, folder), of_reference(facts, pictures, folder)
    elements = check(page, folder)
    assert len(elements.of("img")) == 4 + 2 + 5 + 4 + 2
    for words in (
        "WFI07",
        "26.50 mag AB",
        "PSF model 3, made of 400 stars",
        "ab" * 32,
        "SATURATED",
        "1,600 stars",
        "reference_psf_fwhm",
    ):
        assert words in elements.text
    assert f"roman-db lightcurve --id {2**60}" in elements.text
    assert len(check(index, folder).of("img")) == 1
    for words in ("1 h 15 min", "3 min 20 s", "6,000", "r2_cal.asdf", "ValueError: too dark"):
        assert words in Elements(index).text
    assert {path.suffix for path in folder.iterdir()} == {".html", ".png"}


def test_hostile_names_are_escaped(drawn):
    folder, pictures, thumbnail = drawn
    bad = made_up.HOSTILE
    exposures = made_up.exposures()
    names = replace(exposures, name=np.array([bad] * 6, object), refused=np.array([bad] * 6, object))
    facts = made_up.reference(image=made_up.image(field=bad, path=bad), exposures=names, notes=[bad])
    run = made_up.run(message=bad, state="failed", code_version=bad, arguments={"detector": bad})
    thumbnail = replace(thumbnail, alt=bad + bad)
    for page in (indexed(run, facts, thumbnail, folder), of_reference(facts, pictures, folder)):
        assert bad not in page
        assert bad in check(page, folder).text


@pytest.mark.heavy
def test_a_page_without_a_file_says_so(tmp_path):
    note = "its pixels are not shown: the file is not the one that was written."
    facts = made_up.reference(pixels=None, difference_pixels=None, notes=[note])
    index = indexed(made_up.run(), facts, draw_small(facts, tmp_path), tmp_path)
    elements = check(of_reference(facts, draw_reference(facts, tmp_path), tmp_path), tmp_path)
    assert note in elements.text
    assert "the file of the image cannot be read" in elements.text
    assert "could not be computed again" in elements.text
    assert len(elements.of("img")) == 1 + 2 + 5 + 1
    assert not check(index, tmp_path).of("img")


@pytest.mark.heavy
def test_an_image_that_is_older_than_what_is_stored_of_its_psf_says_so(tmp_path):
    older = made_up.reference(psf=None, metrics=[], image=made_up.image(psf_n_star_all=None))
    indexed(made_up.run(), older, None, tmp_path)
    elements = check(of_reference(older, draw_reference(older, tmp_path), tmp_path), tmp_path)
    assert "was not measured over the image" in elements.text
    assert "Fit of the PSFs" not in elements.text
    assert "psf_shape" not in str(elements.of("img"))


def test_an_image_that_was_not_searched_or_compared_says_so(drawn):
    _, pictures, _ = drawn
    bare = made_up.reference(sources=None, flags=[], difference=None, changes=None, difference_pixels=None)
    text = Elements(of_reference(bare, pictures)).text
    assert "has not been searched yet" in text
    assert "has not been compared" in text
    first = replace(bare, image=made_up.image(n_before=0))
    assert "none before it" in Elements(of_reference(first, pictures)).text


def test_a_run_that_had_nothing_to_do_says_so():
    idle = made_up.run(
        state="succeeded", tasks=[], failed=[], rejections=[], catalogs=[], blocks=[], metrics=[]
    )
    text = Elements(run_page(idle, [], list(of_run(idle)))).text
    assert "Nothing: all units are done" in text
    assert "There was nothing to do" in text


def test_a_page_without_a_run_beside_it_has_no_link_to_it(drawn):
    folder, pictures, _ = drawn
    page = of_reference(made_up.reference(), pictures, index=None)
    assert "index.html" not in page
    check(page, folder)


@pytest.mark.heavy
def test_pictures_of_before_are_taken_away(tmp_path):
    (tmp_path / "reference_7_source_99.png").touch()
    (tmp_path / "reference_77_image.png").touch()
    bare = made_up.reference(pixels=None, sources=None, difference=None, changes=None, difference_pixels=None)
    draw_reference(bare, tmp_path)
    assert not (tmp_path / "reference_7_source_99.png").exists()
    assert (tmp_path / "reference_77_image.png").exists()


def test_of_many_refused_inputs_the_first_are_listed():
    run = made_up.run()
    many = replace(run, rejections=[run.rejections[0]] * 150)
    text = Elements(run_page(many, [], [])).text
    assert text.count("r2_cal.asdf") == 100
    assert "And 50 more" in text


@pytest.mark.parametrize(("shown", "words"), [
    (fixed(None, 2), "–"), (fixed(float("nan"), 2), "–"), (fixed(61473.25, 1), "61473.2"),
    (digits(0.012345), "0.0123"), (duration(timedelta(seconds=7.25)), "7.2 s"),
    (duration(timedelta(seconds=125)), "2 min 5 s"), (duration(timedelta(minutes=61)), "1 h 1 min"),
    (duration(None), "–"), (measured(2461480.12345, 0.0123), "2461480.123 ± 0.012"),
    (measured(51234.6, 1234.0), "51200 ± 1200"), (measured(0.5, float("nan")), "0.5 ± –"),
])  # fmt: skip
def test_numbers_are_written_for_people(shown, words):
    assert shown == words


def test_flags_are_counted_the_most_frequent_first():
    counted = count_flags(np.array([0, 1, 1 | 32, 32, 32]))
    assert [(one.name, one.count) for one in counted] == [("BLENDED", 3), ("SATURATED", 2)]
