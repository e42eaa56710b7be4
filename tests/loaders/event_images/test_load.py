"""Events in images in the database: the same events at both levels, once, and counted."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.event_efficiency.draw import PLANET, POINT_LENS
from loaders.event_efficiency.tasks import EVENT_EFFICIENCY
from loaders.event_images import load
from loaders.event_images.picture import draw_pairs
from loaders.event_images.tasks import EVENT_IMAGES, IMAGES
from loaders.light_curve_simulation.magnify import magnification
from loaders.rejection import Rejected
from loaders.season.tasks import arguments as season_arguments
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits

NUMBER = 10


def arguments(number=NUMBER, **more):
    which = {"survey": "gbtds", "season": 1, "photometry_kind": "psf", "seed": 4, "modelled": False}
    return which | {"numbers": {POINT_LENS: number, PLANET: 0}, "redo": False, "detector": None} | more


def run(mode=EVENT_IMAGES, **more):
    return run_mode(mode, arguments(**more), lambda *_: None)


def ask(query, **values):
    with session.reading() as connection:
        return [row._asdict() for row in connection.execute(sa.text(query), values)]


def images(name, besides=("load_run_id",)):
    """Rows of the injection into images."""
    found = ask(
        f"SELECT x.* FROM roman.{name} x JOIN roman.injection_run i USING (injection_run_id) "
        "WHERE i.inject_medium = 'images' ORDER BY 1, 2, 3, 4, 5, 6"
    )
    return [{key: value for key, value in row.items() if key not in besides} for row in found]


@pytest.fixture
def injected(photometered):
    """A database with light curves that were described, and events injected into them."""
    mode = Mode("describe", "Statistics alone", (LOCUS, VARIABILITY))
    assert not run_mode(mode, season_arguments("gbtds", 1, "psf"), lambda *_: None).failed
    assert not run(EVENT_EFFICIENCY).failed
    return photometered


@pytest.mark.heavy
def test_the_same_events_are_measured_searched_and_counted_at_both_levels(injected):
    report = run()
    assert not report.failed
    truth = images("injected_event")
    columns = (
        "injected_event_id, object_id, kind, t_0, u_0, einstein_time, rho, pi_e_n, pi_e_e, source_fraction"
    )
    levels = [
        ask(
            f"SELECT {columns} FROM roman.injected_event JOIN roman.injection_run i USING (injection_run_id) "
            "WHERE i.inject_medium = :medium ORDER BY 1",
            medium=medium,
        )
        for medium in ("images", "lightcurve")
    ]
    assert levels[0] == levels[1]
    assert len(truth) == len(images("event_recovery")) == 4 * NUMBER
    (count,) = ask("SELECT * FROM roman.event_medium_count")
    assert (count["n_event"], count["n_untouched"]) == (NUMBER, NUMBER)
    for medium in ("images", "lightcurve"):
        (other,) = ask("SELECT * FROM roman.event_detection_count WHERE inject_medium = :m", m=medium)
        for name in ("tp_count", "fn_count", "fp_count", "tn_count"):
            assert count[f"{name}_{medium}"] == other[name]
    of_all = [row["n_injected"] for row in images("event_efficiency") if row["field_id"] == 0]
    assert sum(of_all) == NUMBER
    assert [one.name for one in run_audits(chosen(["event_recovery"]), 0) if not one.passed] == []
    # Done is done; once more, it is the same.
    points, found = images("injected_event_segment"), images("event_recovery")
    assert run().succeeded == []
    assert not run(redo=True).failed
    assert repr(images("injected_event_segment")) == repr(points)
    assert repr(images("event_recovery")) == repr(found)


@pytest.mark.heavy
def test_differences_have_the_errors_of_pairs(injected):
    """Whatever was found, against the mean of the differences of pairs and its standard error by numpy."""
    assert not run().failed
    rng = np.random.default_rng(3)
    with session.transaction(session.Role.OWNER) as connection:
        rows = connection.execute(
            sa.text("SELECT injection_run_id, injected_event_id FROM roman.event_recovery")
        )
        for key, number in rows.all():
            yes, no = ("TP", "FN") if number % 4 == 0 else ("FP", "TN")
            values = {"key": key, "number": number, "one": yes if rng.random() < 0.5 else no}
            connection.execute(
                sa.text(
                    "UPDATE roman.event_recovery SET binary_class = :one, is_failed = false "
                    "WHERE injection_run_id = :key AND injected_event_id = :number"
                ),
                values,
            )
    (count,) = ask("SELECT * FROM roman.event_medium_count")
    pairs = ask("SELECT * FROM roman.event_medium_comparison ORDER BY injected_event_id")
    for kind, name in (("point_lens", "completeness"), ("untouched", "false_positive")):
        found = np.array(
            [(one["is_found_images"], one["is_found_lightcurve"]) for one in pairs if one["kind"] == kind]
        )
        differ = found[:, 0].astype(float) - found[:, 1]
        assert differ.any()
        assert count[f"{name}_difference"] == pytest.approx(differ.mean())
        error = differ.std() / np.sqrt(differ.size)
        assert count[f"{name}_difference_err"] == pytest.approx(error)


@pytest.mark.heavy
def test_points_without_events_are_the_stored_ones_and_light_is_that_of_the_events(injected):
    """The former measured by the same code from the same files, the latter by the truth in the database."""
    assert not run().failed
    stored = {
        (row["object_id"], row["exposure_id"]): (row["flux"], row["flux_err"])
        for row in ask("SELECT * FROM roman.light_curve WHERE photometry_kind = 'psf'")
    }
    bjd = dict(ask_pairs("SELECT exposure_id, midpoint_bjd_tdb FROM roman.exposure"))
    place = {
        row["object_id"]: (row["ra"], row["dec"])
        for row in ask("SELECT object_id, ra, dec FROM roman.object")
    }
    mean = {
        (row["object_id"], row["optical_element"]): row["mean_flux"]
        for row in ask("SELECT * FROM roman.variability WHERE season = 1")
    }
    events = {row["injected_event_id"]: row for row in images("injected_event")}
    compared = 0
    for row in images("injected_event_segment"):
        event = events[row["injected_event_id"]]
        if event["kind"] == "untouched":
            assert not any(row["light"])
            for exposure, flux, error in zip(row["exposure_id"], row["flux"], row["flux_err"], strict=True):
                if (event["object_id"], exposure) in stored:
                    np.testing.assert_allclose((flux, error), stored[event["object_id"], exposure], rtol=2e-4)
                    compared += 1
            continue
        times = np.array([bjd[one] for one in row["exposure_id"]])
        lens = {
            "t_0": event["t_0"],
            "t_0_par": event["t_0"],
            "t_E": event["einstein_time"],
            "u_0": event["u_0"],
        }
        lens |= {"rho": event["rho"], "pi_E_N": event["pi_e_n"], "pi_E_E": event["pi_e_e"]}
        where = (*place[event["object_id"]], row["optical_element"])
        rise = magnification(lens | {"limb_darkness": 1.0}, times, *where) - 1
        source = event["source_fraction"] * mean.get((event["object_id"], row["optical_element"]), 0.0)
        light = np.array(row["light"])
        lit = light > 0
        np.testing.assert_allclose(light[lit], (source * rise)[lit], rtol=1e-4)
    assert compared > 5 * NUMBER


def ask_pairs(query):
    return [tuple(row.values()) for row in ask(query)]


@pytest.mark.heavy
def test_a_run_that_breaks_off_goes_on_and_has_each_event_once(injected, monkeypatch):
    """Days that are done stay; nothing is searched before all are."""
    measure, seen = load.measure_events, []

    def fail(path, exposure_id, light, scene):
        seen.append(exposure_id)
        if len(seen) == 6:
            raise KeyboardInterrupt
        return measure(path, exposure_id, light, scene)

    with monkeypatch.context() as patch:
        patch.setattr(load, "measure_events", fail)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert images("event_recovery") == []
    left = load.pending_images(arguments())
    assert 0 < len(left) < 3
    assert load.pending_searches(arguments()) == []
    assert not run().failed
    assert len(images("event_recovery")) == len(images("injected_event")) == 4 * NUMBER
    ids = [
        (row["injected_event_id"], one)
        for row in images("injected_event_segment")
        for one in row["exposure_id"]
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.heavy
def test_a_changed_file_costs_its_exposure_and_no_more(injected, monkeypatch):
    measure, refused = load.measure_events, []

    def refuse(path, exposure_id, light, scene):
        if not refused:
            refused.append(exposure_id)
            raise Rejected(str(path), "is torn", "Mend it", "corrupted")
        return measure(path, exposure_id, light, scene)

    monkeypatch.setattr(load, "measure_events", refuse)
    report = run(Mode("images", "Exposures alone", (IMAGES,)))
    assert not report.failed
    (account,) = ask("SELECT * FROM ops.load_run ORDER BY load_run_id DESC LIMIT 1")
    assert account["n_rejected"] == 1
    assert account["n_read"] == account["n_loaded"] + 1
    for row in images("injected_event_segment"):
        if refused[0] in row["exposure_id"]:
            assert np.isnan(row["flux"][row["exposure_id"].index(refused[0])])


@pytest.mark.heavy
def test_only_a_detector_and_nothing_without_events_in_light_curves(injected, tmp_path):
    assert load.pending_images(arguments(detector="WFI01")) == []
    with pytest.raises(Rejected, match=r"run event-efficiency --season 1 --seed 5") as said:
        load.pending_images(arguments(seed=5))
    assert said.value.code == "no_events_injected"
    with pytest.raises(Rejected, match="run event-images"):
        load.read_pairs(1, "psf")
    assert not run(detector="WFI07").failed
    pairs = load.read_pairs(1, "psf")
    assert len(pairs) == NUMBER
    draw_pairs(pairs, "test", tmp_path / "pairs.png")
    assert (tmp_path / "pairs.png").stat().st_size > 10_000
    words = list(load.summary_of_images(arguments(detector="WFI07")))
    assert f"{NUMBER} events" in words[0]
    assert "of WFI07" in words[0]
