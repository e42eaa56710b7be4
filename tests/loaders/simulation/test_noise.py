from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from roman_datamodels.dqflags import pixel as dq_flag

from loaders.simulation.cosmic_rays import draw_hits
from loaders.simulation.instrument_tables import DetectorNoise, detector_noise
from loaders.simulation.noise import DetectorState, Measured, detector_state, measure
from loaders.simulation.parameters import DetectorParameters, MultiAccumTable, Window, default_parameters
from loaders.simulation.ramp import POWERS, power_index, ramp_noise, usable_resultants

DEFAULT = default_parameters()
TABLE = DEFAULT.survey.ma_tables[0]
NOISE = DetectorNoise(9.0, 0.02, 0.99)
SATURATED, DO_NOT_USE, JUMP = (
    np.uint32(dq_flag[name].value) for name in ("SATURATED", "DO_NOT_USE", "JUMP_DET")
)


def _state(shape: tuple[int, int], **changes: float) -> DetectorState:
    parameters = replace(DEFAULT.detector, **({"cosmic_ray_rate": 0.0, "bad_pixels": False} | changes))
    return detector_state("WFI07", Window(0, 0, shape[1], shape[0]), NOISE, parameters)


def _flat(rate: float, seed: int = 1, **changes: float) -> Measured:
    shape = (200, 200)
    return measure(np.full(shape, rate), TABLE, _state(shape, **changes), np.random.default_rng(seed))


def _fitted_slopes(
    rate: float, table: MultiAccumTable, power: float, number: int, read_noise: float
) -> np.ndarray:
    """Draw every read of many ramps, average them into resultants and fit weighted straight lines."""
    rng = np.random.default_rng(5)
    last = table.read_pattern[-1][-1]
    reads = rng.poisson(rate * table.frame_time, (number, last)).cumsum(axis=1) + rng.normal(
        0, read_noise, (number, last)
    )
    resultants = np.stack([reads[:, np.array(r) - 1].mean(axis=1) for r in table.read_pattern], axis=1)
    time = np.array([np.mean(r) for r in table.read_pattern]) * table.frame_time
    count = np.array([len(r) for r in table.read_pattern])
    weight = (1 + power) * count / (1 + power * count) * np.abs(time - (time[0] + time[-1]) / 2) ** power
    return np.polynomial.polynomial.polyfit(time, resultants.T, 1, w=np.sqrt(weight))[1]


@pytest.mark.parametrize("power", [0.0, 1.0, 10.0])
@pytest.mark.parametrize(("rate", "read_noise"), [(20.0, 9.0), (300.0, 0.0), (0.0, 9.0)])
def test_variance_is_that_of_fits_to_ramps(power: float, rate: float, read_noise: float) -> None:
    slopes = _fitted_slopes(rate, TABLE, power, 40000, read_noise)
    ramps, row = ramp_noise(TABLE), int(np.flatnonzero(power == POWERS)[0])
    expected = rate * ramps.poisson[row, -1] + read_noise**2 * ramps.read[row, -1]
    assert slopes.mean() == pytest.approx(rate, abs=5 * np.sqrt(expected / slopes.size))
    assert slopes.var() == pytest.approx(expected, rel=5 * np.sqrt(2 / slopes.size))


def test_two_reads_are_a_difference() -> None:
    pair = replace(TABLE, read_pattern=((1,), (11,)))
    ramps = ramp_noise(pair)
    assert ramps.poisson[0, 2] == pytest.approx(1 / (10 * TABLE.frame_time))
    assert ramps.read[0, 2] == pytest.approx(2 / (10 * TABLE.frame_time) ** 2)
    assert np.isnan(ramps.poisson[0, :2]).all()


def test_charge_between_reads_steepens_the_slope_and_before_them_does_not() -> None:
    step = ramp_noise(TABLE).step
    np.testing.assert_allclose(step[:, 0], 0.0, atol=1e-12)
    assert (step[:, 1:] > 0).all()


def test_weights_go_to_the_ends_as_the_signal_grows() -> None:
    power = power_index(TABLE, np.array([0.0, 1.0, 10.0, 1e3, 1e5]), 9.0)
    assert (np.diff(power) >= 0).all()
    assert (power[0], power[-1]) == (0, POWERS.size - 1)


@pytest.mark.parametrize("rate", [0.5, 5.0, 100.0, 1000.0])
def test_mean_and_variance_are_analytic(rate: float) -> None:
    found = _flat(rate)
    total = np.array(rate + NOISE.dark_current)
    power, ramps = power_index(TABLE, total, NOISE.read_noise), ramp_noise(TABLE)
    variance = total * ramps.poisson[power, -1] + NOISE.read_noise**2 * ramps.read[power, -1]
    number = found.rate.size
    assert found.rate.mean() == pytest.approx(rate, abs=5 * np.sqrt(variance / number))
    assert found.rate.var() == pytest.approx(variance, rel=6 * np.sqrt(2 / number))
    # The pipeline's own estimate is unbiased where the slope rarely falls below zero.
    assert found.variance.mean() == pytest.approx(variance, rel=0.05 if rate < 1 else 0.01)
    assert (found.dq == 0).all()


def test_bright_pixels_have_standard_normal_pulls() -> None:
    found = _flat(500.0)
    pull = (found.rate - 500.0) / np.sqrt(found.variance)
    assert pull.std() == pytest.approx(1.0, abs=0.02)
    assert abs(np.mean(pull**3)) < 0.3


def test_saturation_shortens_the_ramp_and_then_ends_it() -> None:
    full, time = DEFAULT.detector.full_well, TABLE.frame_time
    half, none = full / (10 * time), full / (1.5 * time)
    partly, wholly = _flat(half), _flat(none)
    assert ((partly.dq & SATURATED) > 0).all()
    assert ((partly.dq & DO_NOT_USE) == 0).all()
    assert partly.rate.mean() == pytest.approx(half, rel=1e-3)
    assert (partly.variance > _flat(half, full_well=1e9).variance.max()).all()
    assert (wholly.dq == (SATURATED | DO_NOT_USE)).all()
    for values in (wholly.rate, wholly.variance, wholly.var_poisson):
        assert (values == 0).all()


def test_a_hit_that_leaves_no_two_resultants_costs_the_pixel() -> None:
    pair = replace(TABLE, read_pattern=((1,), (11,)))
    state = _state((200, 200), cosmic_ray_rate=200.0, cosmic_ray_flagged=1.0)
    found = measure(np.full((200, 200), 20.0), pair, state, np.random.default_rng(1))
    lost = found.variance == 0
    assert lost.any()
    assert (found.dq[lost] == (JUMP | DO_NOT_USE)).all()
    assert (found.dq[~lost] == 0).all()


def test_number_of_usable_resultants_counts_whole_ones() -> None:
    ends = np.array([reads[-1] for reads in TABLE.read_pattern]) * TABLE.frame_time
    found = usable_resultants(TABLE, 1000.0 / (ends + 0.01), 1000.0)
    np.testing.assert_array_equal(found, np.arange(1, ends.size + 1))
    assert usable_resultants(TABLE, np.array([0.0]), 1000.0)[0] == ends.size


def test_cosmic_rays_come_at_their_rate() -> None:
    single = replace(DEFAULT.detector, cosmic_ray_track=1e-6)
    hits = draw_hits((1000, 1000), 66.4, single, np.random.default_rng(1))
    expected = 5.0 * 66.4 * 1.0  # one square centimetre
    assert hits.row.size == pytest.approx(expected, abs=5 * np.sqrt(expected))
    assert (hits.time < 66.4).all()
    assert np.unique(hits.row * 1000 + hits.column).size == hits.row.size


def test_tracks_have_their_length() -> None:
    parameters: DetectorParameters = replace(DEFAULT.detector, cosmic_ray_track=40.0, cosmic_ray_rate=0.5)
    hits = draw_hits((2000, 2000), 66.4, parameters, np.random.default_rng(1))
    number = 0.5 * 66.4 * 4
    # A straight line of length L at random angle crosses 4 L / pi + 1 pixels on average.
    assert hits.row.size / number == pytest.approx(4 * 40 / np.pi + 1, rel=0.35)


def test_hits_that_were_found_are_flagged_and_harmless() -> None:
    found = _flat(20.0, cosmic_ray_rate=200.0, cosmic_ray_flagged=1.0)
    hit = (found.dq & JUMP) > 0
    assert 1000 < hit.sum() < 30000
    pull = (found.rate - 20.0) / np.sqrt(found.variance)
    assert pull[hit].std() == pytest.approx(1.0, abs=0.08)
    assert abs(np.mean(found.rate[hit]) - 20.0) < 0.1
    assert np.median(found.variance[hit]) > np.median(found.variance[~hit])


def test_hits_that_were_missed_stand_out_unflagged() -> None:
    quiet = _flat(20.0)
    struck = _flat(20.0, cosmic_ray_rate=200.0, cosmic_ray_flagged=0.0)
    assert (struck.dq == 0).all()
    assert (struck.rate > 30.0).sum() > 100 > (quiet.rate > 30.0).sum()


def test_bad_pixels_belong_to_the_detector_not_to_the_window() -> None:
    noise = detector_noise("WFI07")
    large = detector_state("WFI07", Window(100, 200, 300, 250), noise, DEFAULT.detector)
    small = detector_state("WFI07", Window(150, 220, 80, 60), noise, DEFAULT.detector)
    np.testing.assert_array_equal(large.static_dq[20:80, 50:130], small.static_dq)
    assert (large.static_dq > 0).mean() == pytest.approx(1 - noise.operable_fraction, rel=0.2)
    other = detector_state("WFI08", Window(150, 220, 80, 60), noise, DEFAULT.detector)
    assert (other.static_dq != small.static_dq).any()


def test_dead_pixels_see_nothing_and_hot_ones_glow() -> None:
    window = Window(100, 200, 300, 250)
    parameters = replace(DEFAULT.detector, cosmic_ray_rate=0.0)
    state = detector_state("WFI07", window, detector_noise("WFI07"), parameters)
    found = measure(np.full(window.shape, 50.0), TABLE, state, np.random.default_rng(1))
    dead, hot = ((found.dq & dq_flag[name].value) > 0 for name in ("DEAD", "HOT"))
    assert abs(found.rate[dead].mean()) < 0.2
    assert found.rate[hot].mean() > 60.0
    assert ((found.dq[dead | hot] & DO_NOT_USE) > 0).all()
