from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels.datamodels as rdm

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import mosaic_psf
from loaders.simulation.level3 import mosaic_filename, simulate_level3
from loaders.simulation.mosaic import MosaicGrid
from loaders.simulation.product import write_product
from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.simulate import Simulation, true_state
from loaders.simulation.throughput import flux_njy
from loaders.simulation.truth import exposure_truth, true_light_curve, truth_table, write_truth

Plan = tuple[PlannedExposure, ...]


def test_truth_lists_every_source_once(scene: Scene) -> None:
    table = truth_table(scene)
    assert len(table) == scene.stars.magnitude.size + scene.galaxies.ra.size
    np.testing.assert_array_equal(table["source_id"], np.arange(len(table)))
    assert (table["kind"] == "galaxy").sum() == scene.galaxies.ra.size
    lensed = table[table["kind"] == "free_floating"]
    np.testing.assert_array_equal(lensed["source_id"], scene.events.star)
    assert lensed["t_einstein"][0] == scene.events.t_einstein[0]
    assert np.isnan(table["t0"][table["kind"] == "star"]).all()
    assert np.isfinite(table["mag_f146"]).all()


def test_truth_goes_through_parquet_with_its_units(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    write_truth(path, scene)
    table = pq.read_table(path)
    assert table.num_rows == len(truth_table(scene))
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert (units["ra"], units["pmra"], units["mag_f146"]) == ("deg", "mas / yr", "mag(AB)")
    np.testing.assert_array_equal(
        table["ra"].to_numpy()[: scene.stars.magnitude.size], scene.stars.astrometry.ra
    )


def test_true_light_curve_has_the_rest_flux_far_from_the_event(scene: Scene) -> None:
    star = int(scene.events.star[0])
    rest = flux_njy(scene.star_magnitude["F087"][star])
    far, peak = true_light_curve(scene, star, "F087", scene.events.t0[0] + np.array([500.0, 0.0]))
    assert far == pytest.approx(rest, rel=1e-6)
    assert peak > 8 * rest


def test_truth_of_an_exposure_is_its_state(simulation: Simulation, plan: Plan) -> None:
    table, state = exposure_truth(simulation, plan[1]), true_state(simulation, plan[1])
    np.testing.assert_array_equal(table["x"], state.x)
    assert str(table["flux"].unit) == "nJy"
    zero = simulation.filters[plan[1].optical_element].zero_rate
    np.testing.assert_allclose(table["flux"] / 3631e9 * zero, state.rate, rtol=1e-12)


def test_mosaic_psf_keeps_the_flux(psf: EffectivePsf) -> None:
    jacobian = np.array([[-0.0934, -0.0531], [0.0554, -0.0946]])
    found = mosaic_psf(psf, jacobian, 0.055)
    assert found.stamps.sum() / found.oversampling**2 == pytest.approx(psf.stamps.sum() / 16, rel=0.02)
    peak = np.unravel_index(found.stamps[0, 0].argmax(), found.stamps[0, 0].shape)
    assert peak == (found.size // 2, found.size // 2)


@pytest.fixture(scope="module")
def mosaic(scene: Scene, psf: EffectivePsf, plan: Plan) -> rdm.MosaicModel:
    exposures = tuple(e for e in plan if e.optical_element == "F146")[:10]
    return simulate_level3(scene, psf, exposures, MosaicGrid(0.055, 120, 110))


def test_mosaic_is_valid_and_can_be_read_back(mosaic: rdm.MosaicModel, tmp_path: Path) -> None:
    path = tmp_path / mosaic.meta.filename
    write_product(path, mosaic)
    with rdm.open(path) as model:
        assert isinstance(model, rdm.MosaicModel)
        model.validate()
        assert model.data.shape == (110, 120)
        assert len(model.meta.resample.members) == 10
        x, y = model.meta.wcs.invert(*model.meta.wcs(10.0, 20.0))
        assert (x, y) == pytest.approx((10.0, 20.0), abs=1e-6)


def test_mosaic_shows_a_star_where_and_as_bright_as_it_is(lonely: Simulation, psf: EffectivePsf) -> None:
    plan = plan_exposures(lonely.scene.parameters.survey)
    exposures = tuple(e for e in plan if e.optical_element == "F146")[:8]
    model = simulate_level3(lonely.scene, psf, exposures, MosaicGrid(0.055, 110, 110))
    data = np.asarray(model.data, dtype=float)
    factor = np.mean([true_state(lonely, e).factor[0] for e in exposures])
    truth = flux_njy(17.0) * factor * psf.stamps.sum() / psf.oversampling**2
    area = np.radians(0.055 / 3600) ** 2
    assert data.sum() * area * 1e15 == pytest.approx(truth, rel=0.02)
    state = true_state(lonely, exposures[4])
    x, y = model.meta.wcs.invert(state.ra[0], state.dec[0])
    rows, columns = np.indices(data.shape)
    weight = data * (np.hypot(columns - x, rows - y) < 10)
    assert (weight * columns).sum() / weight.sum() == pytest.approx(x, abs=0.05)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(y, abs=0.05)


def test_mosaic_noise_is_what_its_errors_say(mosaic: rdm.MosaicModel) -> None:
    data, err = np.asarray(mosaic.data), np.asarray(mosaic.err)
    np.testing.assert_allclose(
        err**2, np.asarray(mosaic.var_poisson) + np.asarray(mosaic.var_rnoise), rtol=1e-5
    )
    assert (err > 0).all()
    assert np.isfinite(data).all()


def test_mosaic_needs_one_filter(scene: Scene, psf: EffectivePsf, plan: Plan) -> None:
    with pytest.raises(ValueError, match="exactly one filter"):
        simulate_level3(scene, psf, plan[:5], MosaicGrid(0.055, 10, 10))
    with pytest.raises(ValueError, match="exactly one filter"):
        simulate_level3(scene, psf, (), MosaicGrid(0.055, 10, 10))


def test_mosaic_is_named_by_its_place() -> None:
    assert mosaic_filename(1, "F146", 268.2, -29.2) == "r00001_full_268m29_f146_coadd.asdf"
