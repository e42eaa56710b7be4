"""Covariances of models with their fluxes, against the inverse of the normal matrix of all of them."""

import numpy as np
import pytest

from loaders.event_models.descent import fit_lens
from loaders.event_models.fitted_model import model_of
from loaders.event_models.kinds import (
    BINARY,
    FINITE,
    PARALLAX_SIGMA,
    POINT,
    TWO_SOURCES,
    Kind,
    curves_of,
    parameters_of,
    slopes_of,
)
from loaders.event_models.rounds import canonical, canonical_signs
from loaders.event_models.setting import Setting
from loaders.stored_curve.band import Band

BEGIN, PLACE = 2_461_450.0, (268.0, -29.0)

STARTS = {
    POINT: [BEGIN + 70, 0.15, np.log(40.0), 0.3, 0.4],
    FINITE: [BEGIN + 70, 0.03, np.log(40.0), np.log(0.05), 0.3, 0.4],
    TWO_SOURCES: [BEGIN + 18, 0.3, np.log(6.0), BEGIN + 23, 0.15],
}


def setting_of(kind: Kind, truth):
    """An event whose light curves that kind of model has made, with noise."""
    rng, bands = np.random.default_rng(2), []
    for name, step in (("F146", 0.05), ("F087", 0.3)):
        time = BEGIN + np.arange(0, 150, step)
        bands.append(Band(name, time, np.ones(time.size), np.ones(time.size)))
    setting = Setting(bands, *PLACE, BEGIN + 70, True, np.zeros(2))
    view = setting.view(bands, 1e-4)
    curves = curves_of(kind, view)(truth, view.points.time)
    made = []
    for band, part, light in zip(bands, view.points.slices, (3000.0, 700.0), strict=True):
        flux = light * curves[0, part] + 0.5 * light * curves[1:, part].sum(axis=0) + 200.0
        error = 0.01 * flux
        made.append(Band(band.name, band.time, flux + error * rng.normal(size=flux.size), error))
    return Setting(made, *PLACE, BEGIN + 70, True, np.zeros(2))


def whole(kind, setting, model, parameter):
    """Inverse of the normal matrix of parameters, as they are stored, and fluxes, by central differences."""
    view = setting.view(setting.bands, setting.fine, dark=True)

    def curve(p, flux):
        magnified = curves_of(kind, view)(p, view.points.time)
        out = np.empty(view.points.time.size)
        for band, part in enumerate(view.points.slices):
            out[part] = flux[band, :-1] @ magnified[:, part] + flux[band, -1]
        return out * view.points.scale

    columns = []
    names = kind.names(parameter.size > len(kind.names(False)))
    for k, name in enumerate(names):
        step = np.zeros(parameter.size)
        step[k] = 1e-4
        slope = (curve(parameter + step, model.flux) - curve(parameter - step, model.flux)) / 2e-4
        columns.append(slope / np.exp(parameter[k]) if name.startswith("ln ") else slope)
    for place in np.ndindex(model.flux.shape):
        unit = np.zeros(model.flux.shape)
        unit[place] = 1.0
        columns.append(curve(parameter, unit))
    # What is known of the parallax before counts like further points.
    known = [1 / PARALLAX_SIGMA if name.startswith("pi_E") else 0.0 for name in names]
    matrix = np.column_stack([columns, np.diag(known + [0.0] * model.flux.size)])
    scale = np.linalg.norm(matrix, axis=1)
    return np.linalg.inv((matrix / scale[:, None]) @ (matrix / scale[:, None]).T) / np.outer(scale, scale)


@pytest.mark.parametrize("kind", STARTS, ids=lambda kind: kind.name)
def test_it_is_the_inverse_of_the_whole_normal_matrix(kind):
    begin = np.array(STARTS[kind])
    setting = setting_of(kind, begin)
    view, given = setting.view(setting.bands, 1e-4, dark=True), parameters_of(kind, begin)
    fit = fit_lens(view.points, curves_of(kind, view), given, begin, 50, slopes_of(kind, view, given.step))
    model = model_of(setting, kind, fit, np.ones(2))
    expected = whole(kind, setting, model, fit.parameter)
    error = np.sqrt(np.diag(expected))
    # Where a limb crosses the lens, what fits take for slopes are differences over a good part of it.
    rough = 0.3 if kind is FINITE else 0.02
    assert np.sqrt(np.diag(model.covariance)) == pytest.approx(error, rel=rough)
    difference = (model.covariance - expected) / np.outer(error, error)
    assert np.abs(difference).max() < 1.5 * rough
    assert model.covariance_of[: len(model.value)] == list(model.value)
    fluxes = [row["flux_err"] for row in model.flux_rows() if row["source_number"] == 0]
    places = [model.covariance_of.index(f"{one}_0") for one in ("F146", "F087")]
    assert fluxes == pytest.approx(error[places], rel=rough)


@pytest.mark.parametrize("parallax", [True, False])
@pytest.mark.parametrize("ln_q", [-2.0, 1.0])
@pytest.mark.parametrize("u_0", [-0.1, 0.1])
def test_signs_are_how_canonical_parameters_turn(u_0, ln_q, parallax):
    at = np.array([0.0, u_0, 1.0, 0.2, ln_q, 2.0, -5.0, *([0.1, 0.2] if parallax else [])])
    assert len(BINARY.names(parallax)) == at.size
    turned = [(canonical(at + 1e-6 * unit) - canonical(at)) / 1e-6 for unit in np.eye(at.size)]
    assert np.array(turned) == pytest.approx(np.diag(canonical_signs(at)), abs=1e-6)


def test_a_model_whose_source_is_dark_in_an_element_has_no_covariance_or_a_finite_one():
    setting = setting_of(POINT, np.array(STARTS[POINT]))
    dark = Band("F087", setting.bands[1].time, np.full(len(setting.bands[1]), 200.0), setting.bands[1].error)
    setting = Setting([setting.bands[0], dark], *PLACE, BEGIN + 70, True, np.zeros(2))
    view, begin = setting.view(setting.bands, 1e-4), np.array(STARTS[POINT])
    fit = fit_lens(view.points, curves_of(POINT, view), parameters_of(POINT, begin), begin)
    model = model_of(setting, POINT, fit, np.ones(2))
    assert model.covariance is None or np.isfinite(model.covariance).all()
