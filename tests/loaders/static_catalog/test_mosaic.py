"""Level-3 mosaics read, and bad ones refused in a line that says what, where and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from roman_datamodels.datamodels import MosaicModel

from loaders.rejection import Rejected
from loaders.static_catalog.mosaic import mosaic_of, read_mosaic


@pytest.fixture(scope="module")
def mosaic(sparse_field) -> Iterator[MosaicModel]:
    with rdm.open(sparse_field.mosaics["F158"]) as model:
        yield model


@pytest.fixture
def changed(mosaic) -> Callable[..., MosaicModel]:
    """Copy of the mosaic with arrays replaced."""

    def make(**arrays: np.ndarray) -> MosaicModel:
        model = mosaic.copy()
        for name, values in arrays.items():
            model[name] = values
        return model

    return make


def test_a_mosaic_in_njy(mosaic):
    found = mosaic_of(mosaic, "one")
    assert found.pixel_scale == pytest.approx(0.055, rel=1e-4)
    factor = 1e15 * np.radians(0.055 / 3600) ** 2
    np.testing.assert_allclose(found.data, np.asarray(mosaic.data) * factor, rtol=1e-4)
    np.testing.assert_allclose(np.sqrt(found.variance), np.asarray(mosaic.err) * factor, rtol=1e-3)
    assert found.correlation.tolist() == [[1.0]]
    assert found.good.all()


def test_a_mosaic_from_a_file(mosaic, tmp_path):
    path = tmp_path / "m_f158_coadd.asdf"
    mosaic.save(path)
    found = read_mosaic(path)
    assert found.optical_element == "F158"
    np.testing.assert_array_equal(found.data, mosaic_of(mosaic, "").data)
    assert found.wcs(10.0, 10.0) == pytest.approx(mosaic.meta.wcs(10.0, 10.0))


def test_further_variances_count(changed):
    model = changed()
    sky = np.full(model.data.shape, 1e-4, dtype=np.float32)
    more = mosaic_of(changed(var_sky=sky), "").variance - mosaic_of(model, "").variance
    assert np.median(more) == pytest.approx(1e-4 * 1e30 * np.radians(0.055 / 3600) ** 4, rel=1e-3)


def test_drizzled_mosaics_have_correlated_noise(changed):
    model = changed()
    model.meta.resample.pixfrac = 1.0
    assert mosaic_of(model, "").correlation.shape[0] > 3
    model.meta.resample.pixfrac = 2.0
    with pytest.raises(Rejected) as caught:
        mosaic_of(model, "one")
    assert (caught.value.code, caught.value.where) == ("bad_resample", "one: meta.resample")


@pytest.mark.parametrize(
    ("name", "fill", "code"), [("data", np.nan, "all_nan"), ("var_rnoise", 0.0, "no_variance")]
)
def test_arrays_without_use_are_refused(changed, name, fill, code):
    shape = changed().data.shape
    with pytest.raises(Rejected) as caught:
        mosaic_of(changed(**{name: np.full(shape, fill, np.float32)}), "one")
    assert caught.value.code == code
    assert caught.value.where == f"one: {name}"


def test_arrays_of_other_shapes_are_refused(changed):
    with pytest.raises(Rejected) as caught:
        mosaic_of(changed(data=np.zeros((3, 4), np.float32)), "one")
    assert caught.value.code == "array_shape"


def test_a_mosaic_without_wcs_is_refused(changed):
    model = changed()
    del model.meta["wcs"]
    with pytest.raises(Rejected) as caught:
        mosaic_of(model, "one")
    assert caught.value.code == "no_wcs"


def test_files_that_are_no_mosaics_are_refused(tmp_path):
    with pytest.raises(Rejected) as caught:
        read_mosaic(tmp_path / "none.asdf")
    assert caught.value.code == "missing_file"
    for content, code in (
        (b"", "empty_file"),
        (b"SIMPLE  =", "not_asdf"),
        (b"#ASDF 1.0.0\n%YAML", "truncated"),
    ):
        path = tmp_path / "bad.asdf"
        path.write_bytes(content)
        with pytest.raises(Rejected) as caught:
            read_mosaic(path)
        assert caught.value.code == code


def test_another_product_is_refused(tmp_path):
    path = tmp_path / "seg.asdf"
    rdm.MosaicSegmentationMapModel.create_fake_data(shape=(8, 8)).save(path)
    with pytest.raises(Rejected) as caught:
        read_mosaic(path)
    assert caught.value.code == "not_level3"
