"""An event with its model against the formula of the lens, and images against what was written."""

from __future__ import annotations

import io

import numpy as np
import pytest
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse
from astropy.wcs import WCS

from roman_db.client import BadQuery, NothingFound
from tests.queries.filling import DEC, LENSED, RA
from tests.roman_db.vo.image_file import SCALE, pixels

CENTRE = SkyCoord(RA, DEC, unit="deg")


def lens(time, t_0: float, u_0: float, t_e: float) -> np.ndarray:
    """Magnification of a point (Paczynski 1986, equation 10)."""
    separation = np.hypot(u_0, (np.asarray(time) - t_0) / t_e)
    return (separation**2 + 2) / (separation * np.sqrt(separation**2 + 4))


def test_an_event_has_its_model_and_what_that_leaves(roman, stored, truth):
    event = roman.event(stored.event_id)
    assert int(event.row["object_id"]) == truth.object_id[LENSED]
    value = dict(zip(event.parameters["name"], event.parameters["value"], strict=True))
    assert value == {"t_0": 2461461.702, "u_0": 0.3, "t_E": 0.7}
    source = event.fluxes[(event.fluxes["source_number"] == 1) & (event.fluxes["optical_element"] == "F146")]
    assert source["flux"].unit == u.nJy
    assert source["flux"][0] == pytest.approx(truth.flux["F146"][LENSED], rel=1e-6)
    curves = event.model_curves()
    f146 = curves[curves["optical_element"] == "F146"]
    magnified = truth.flux["F146"][LENSED] * lens(f146["time"], value["t_0"], value["u_0"], value["t_E"])
    assert len(f146) > 100
    assert np.asarray(f146["flux"]) == pytest.approx(magnified, rel=1e-6)
    left = event.residuals()
    model = truth.flux["F146"][LENSED] * lens(left["time"], value["t_0"], value["u_0"], value["t_E"])
    mine = (left["optical_element"] == "F146") & np.isfinite(left["residual"])
    assert np.asarray(left["residual"][mine]) == pytest.approx(
        ((left["flux"] - model) / left["flux_err"])[mine], abs=2e-3
    )
    assert set(left["optical_element"]) == {"F146", "F087"}
    assert left["flux"].unit == u.nJy
    assert len(event.light_curve) == 108


def test_a_plot_draws_the_points_and_the_model(roman, stored):
    event = roman.event(stored.event_id)
    axes = event.plot()
    drawn = {tuple(line.get_xdata()) for line in axes.lines}
    curves = event.model_curves()
    assert tuple(curves["time"][curves["optical_element"] == "F146"]) in drawn
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"F146", "F087"}
    axes.figure.clear()


def test_curves_are_of_the_times_that_are_asked_for(roman, stored):
    event = roman.event(stored.event_id)
    span = (2461461.5, 2461461.9)
    time = event.model_curves(span)["time"]
    assert (time.min(), time.max()) == pytest.approx(span)
    with pytest.raises(BadQuery, match="SPAN must be the first and the last time"):
        event.model_curves((2461462, 2461461))


def test_an_event_that_is_not_there(roman):
    with pytest.raises(NothingFound, match="no event 999 at http"):
        roman.event(999)


def test_links_lead_to_the_light_curve_of_an_object(roman, truth):
    number = int(truth.object_id[3])
    links = roman.links(number)
    series = [one["access_url"] for one in links if "/timeseries?" in str(one["access_url"])]
    assert any(str(number) in one for one in series)
    assert "a&ID=2" in str(roman.links("a&ID=2")["error_message"][0])


def test_a_cutout_has_the_pixels_around_a_place(roman):
    with roman.cutout("reference_image/1", CENTRE, 10 * SCALE) as cut:
        science, header = cut["SCI"].data, cut[0].header
        x, y = header["XSTART"], header["YSTART"]
        assert np.array_equal(science, pixels()[y : y + science.shape[0], x : x + science.shape[1]])
        where = WCS(cut["SCI"].header).all_world2pix([[RA, DEC]], 0)[0]
        assert where == pytest.approx((np.array(science.shape)[::-1] - 1) / 2, abs=1)
    with pytest.raises(NothingFound, match="does not show"):
        roman.cutout("reference_image/1", SkyCoord(RA, DEC + 1, unit="deg"), 1 * u.arcsec)
    with pytest.raises(NothingFound, match="reference_image/987"):
        roman.cutout("reference_image/987", CENTRE, 1 * u.arcsec)


def test_the_links_of_an_event_lead_to_what_the_client_has(roman, stored):
    """Any client reads the curves as a VOTable that says what its times are."""
    links = roman.links(f"event/{stored.event_id}")
    assert set(links["error_message"]) == {""}
    by_kind = {row["local_semantics"]: row["access_url"] for row in links}
    assert {"event-model", "event-models", "event-residuals"} <= set(by_kind)
    document = parse(io.BytesIO(requests.get(by_kind["event-models"], timeout=60).content))
    (system,) = [one for one in document.iter_timesys() if one.ID == "time_barycenter"]
    assert (system.timescale, system.refposition, system.timeorigin) == ("TDB", "BARYCENTER", "JD-origin")
    table = document.get_first_table()
    assert {field.name: field.ref for field in table.fields}["bjd_tdb"] == system.ID
    curves = roman.event(stored.event_id).model_curves()
    assert np.array_equal(np.asarray(table.array["bjd_tdb"]), curves["time"])
    assert np.array_equal(np.asarray(table.array["flux"]), curves["flux"])
    (event,) = [row for row in roman.links(int(roman.event(stored.event_id).row["object_id"]))
                if row["description"] == f"What there is of event {stored.event_id}"]  # fmt: skip
    assert f"event/{stored.event_id}" in event["access_url"]


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({}, 400, "ID must name an event"), ({"ID": "object/1"}, 400, "ID must name an event"),
        ({"ID": "event/999999"}, 404, "there is no event 999999"),
        ({"WHAT": "all"}, 400, "WHAT must be one of models, residuals"),
        ({"SPAN": "2461462 2461461"}, 400, "SPAN must be the first and the last time"),
        ({"SPAN": "61461 61462"}, 400, "SPAN must be a number from"), ({"SPAN": "1"}, 400, "SPAN must be"),
        ({"RESPONSEFORMAT": "png"}, 400, "RESPONSEFORMAT 'png' is not known"),
    ],
)  # fmt: skip
def test_curves_that_cannot_be_are_refused_with_what_to_ask(roman, stored, given, status, words):
    asked = given if "ID" in given or not given else given | {"ID": f"event/{stored.event_id}"}
    root = roman.url.removesuffix("/tap")
    answer = requests.get(f"{root}/event_curves", params=asked, timeout=60)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
