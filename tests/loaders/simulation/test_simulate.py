from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from asdf.exceptions import ValidationError
from astropy.coordinates import get_body_barycentric
from astropy.time import Time

from loaders.psf.model import EffectivePsf
from loaders.simulation.ephemeris import barycentric_mjd_tdb
from loaders.simulation.product import write_product
from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.simulate import (
    Simulation,
    expected_image,
    prepare_simulation,
    simulate_level2,
    simulate_to_file,
    true_state,
)
from loaders.simulation.throughput import flux_njy

Plan = tuple[PlannedExposure, ...]


@pytest.fixture(scope="module")
def path(simulation: Simulation, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_to_file(simulation, plan[3], tmp_path_factory.mktemp("level2"))


def test_file_is_valid_and_named_by_its_keywords(path: Path, plan: Plan) -> None:
    with rdm.open(path) as model:
        assert isinstance(model, rdm.ImageModel)
        model.validate()
        assert model.meta.filename == path.name == plan[3].filename("WFI07")
        names = model.meta.observation
        assert path.name.startswith(f"r{names.visit_id}_{names.exposure:04d}_wfi07_f146")
        assert names.observation_id.startswith(names.visit_id)
        assert names["pass"] == plan[3].identifiers.pass_number
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_arrays_have_the_types_that_rad_demands(path: Path) -> None:
    with rdm.open(path) as model:
        assert (model.data.dtype, model.dq.dtype) == (np.float32, np.uint32)
        assert model.err.dtype == model.var_poisson.dtype == model.var_rnoise.dtype == np.float16
        assert model.data.shape == model.err.shape == model.dq.shape == (80, 96)
        assert np.isfinite(model.data).all()
        assert np.isfinite(model.err).all()
        error, poisson, read = (np.asarray(model[k], float) for k in ("err", "var_poisson", "var_rnoise"))
        np.testing.assert_allclose(error**2, poisson + read, rtol=4e-3, atol=1e-6)


def test_times_of_the_file_are_those_of_the_plan(path: Path, plan: Plan) -> None:
    with rdm.open(path) as model:
        exposure = model.meta.exposure
        assert exposure.start_time.scale == "utc"
        assert abs((exposure.start_time - plan[3].start_time).sec) < 1e-3
        assert (exposure.end_time - exposure.start_time).sec == pytest.approx(
            exposure.exposure_time, abs=2e-3
        )
        assert exposure.effective_exposure_time == pytest.approx(20 * exposure.frame_time)
        assert model.meta.visit.nexposures == len(plan[3].visit_offsets)


def test_observatory_is_near_the_earth(path: Path) -> None:
    with rdm.open(path) as model:
        place = model.meta.ephemeris
        earth = get_body_barycentric("earth", Time(place.time, format="mjd", scale="utc")).xyz.to_value("km")
        position = np.array([place.spatial_x, place.spatial_y, place.spatial_z])
        assert np.linalg.norm(position - earth) == pytest.approx(1.5e6, rel=0.03)


def test_keywords_agree_with_each_other(path: Path) -> None:
    with rdm.open(path) as model:
        meta = model.meta
        assert meta.photometry.conversion_megajanskys > 0
        assert meta.photometry.pixel_area == pytest.approx((0.11 / 206265) ** 2, rel=0.05)
        assert meta.pointing.pa_aperture == pytest.approx((meta.wcsinfo.roll_ref - 60) % 360, abs=0.2)
        assert meta.velocity_aberration.scale_factor == 1.0
        corners = np.array(meta.wcsinfo.s_region.split()[2:], dtype=float).reshape(4, 2)
        np.testing.assert_allclose(corners.mean(axis=0), meta.wcs(47.5, 39.5), atol=1e-6)
        ra, dec = meta.wcs(2043.5 - 1900, 2043.5 - 2100, with_bounding_box=False)
        assert (ra, dec) == pytest.approx((meta.wcsinfo.ra_ref, meta.wcsinfo.dec_ref), abs=1e-9)
        assert 0.9 < meta.statistics.good_pixel_fraction < 1
        assert meta.statistics.image_median == pytest.approx(float(np.median(model.data)), rel=0.05)


def test_the_same_exposure_comes_out_the_same(simulation: Simulation, plan: Plan) -> None:
    first = simulate_level2(simulation, plan[5])
    simulate_level2(simulation, plan[2])
    again = simulate_level2(pickle.loads(pickle.dumps(simulation)), plan[5])
    np.testing.assert_array_equal(first.data, again.data)
    np.testing.assert_array_equal(first.dq, again.dq)
    other = simulate_level2(simulation, plan[6])
    assert (np.asarray(first.data) != np.asarray(other.data)).mean() > 0.99


@pytest.mark.parametrize("index", [0, 1, 2, 10])
def test_photometry_of_a_star_is_its_magnitude(lonely: Simulation, psf: EffectivePsf, index: int) -> None:
    planned = plan_exposures(lonely.scene.parameters.survey)[index]
    model = simulate_level2(lonely, planned)
    data, meta = np.asarray(model.data, dtype=float), model.meta
    gain = lonely.scene.parameters.detector.gain
    filters = lonely.filters[planned.optical_element]
    sky = (filters.zodiacal + filters.thermal) / gain
    njy = meta.photometry.conversion_megajanskys * meta.photometry.pixel_area * 1e15
    state = true_state(lonely, planned)
    # The stamp is a square of half-width 14 around the star; all of it lies in the window.
    found = (data - sky).sum() * njy / (psf.stamps.sum() / psf.oversampling**2)
    truth = flux_njy(lonely.scene.star_magnitude[planned.optical_element])[0] * state.factor[0]
    error = np.sqrt((np.asarray(model.err, dtype=float) ** 2).sum()) * njy
    assert found == pytest.approx(truth, abs=4 * error + 1e-3 * truth)
    assert error < 0.02 * truth


@pytest.mark.parametrize("index", [0, 7])
def test_wcs_finds_the_star(lonely: Simulation, index: int) -> None:
    planned = plan_exposures(lonely.scene.parameters.survey)[index]
    model, state = simulate_level2(lonely, planned), true_state(lonely, planned)
    x, y = model.meta.wcs.invert(state.ra[0], state.dec[0])
    assert (x, y) == pytest.approx((state.x[0], state.y[0]), abs=1e-6)
    image = expected_image(lonely, planned)
    image = image - image.min()
    rows, columns = np.indices(image.shape)
    near = np.hypot(columns - x, rows - y) < 8
    weight = image * near
    assert (weight * columns).sum() / weight.sum() == pytest.approx(x, abs=0.03)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(y, abs=0.03)


def test_an_event_brightens_its_star(lonely: Simulation) -> None:
    plan = [e for e in plan_exposures(lonely.scene.parameters.survey) if e.optical_element == "F146"]
    event = lonely.scene.events
    found = np.array([true_state(lonely, e).factor[0] for e in plan])
    middle = Time([e.mid_time for e in plan])
    time = barycentric_mjd_tdb(middle, 268.0, -29.2)
    u = np.hypot(event.u0[0], (time - event.t0[0]) / event.t_einstein[0])
    np.testing.assert_allclose(found, (u**2 + 2) / (u * np.sqrt(u**2 + 4)), rtol=2e-3)


@pytest.mark.heavy
def test_pointing_errors_move_the_pixels_and_not_the_wcs(scene: Scene, psf: EffectivePsf, plan: Plan) -> None:
    survey = replace(scene.parameters.survey, alignment_error_mas=20.0)
    shaky = replace(scene, parameters=replace(scene.parameters, survey=survey))
    simulation = prepare_simulation(shaky, dict.fromkeys(("F146", "F087", "F213"), psf))
    offsets = []
    for planned in plan[:24]:
        state = true_state(simulation, planned)
        wcs = simulate_level2(simulation, planned).meta.wcs
        x, y = wcs.invert(state.ra[:1], state.dec[:1], with_bounding_box=False)
        offsets.append((x[0] - state.x[0], y[0] - state.y[0]))
    assert np.std(offsets) * 110 == pytest.approx(20.0, rel=0.4)


def test_missing_psf_is_named(scene: Scene, psf: EffectivePsf) -> None:
    with pytest.raises(ValueError, match=r"no PSF for \['F087', 'F213'\], have \['F146'\]"):
        prepare_simulation(scene, {"F146": psf})


def test_an_invalid_model_leaves_no_file(simulation: Simulation, plan: Plan, tmp_path: Path) -> None:
    model = simulate_level2(simulation, plan[0])
    model.meta["telescope"] = "HUBBLE"
    with pytest.raises(ValidationError):
        write_product(tmp_path / "bad.asdf", model)
    assert list(tmp_path.iterdir()) == []
