"""Reference images as files: what was written is read, RAD knows them, and what is none is refused."""

from dataclasses import replace

import numpy as np
import pytest
import roman_datamodels
from astropy.time import Time

from loaders.reference.product import (
    ReferenceKeywords,
    opened_pixels,
    read_coverage,
    read_reference,
    remove_earlier,
    write_reference,
)
from loaders.rejection import Rejected
from tests.loaders.eight_day import two_spans
from tests.loaders.photometry.scenes import gaussian_psf
from tests.loaders.reference.scenes import build, dithers, stars

KEYWORDS = ReferenceKeywords(
    field="GBTDS_01",
    field_centre=(267.8, -29.3),
    season=1,
    sequence=3,
    start=Time("2027-03-01T06:00:00", scale="utc"),
    end=Time("2027-03-08T18:00:00", scale="utc"),
    exposure_time=1234.5,
    inputs=("a_cal.asdf", "b_cal.asdf"),
)
#: A PSF that is not the same everywhere.
PSF = gaussian_psf(1.8, half_width=6, oversampling=4, nodes=(10.0, 60.0))
#: Fine pixels (y, x) that do not count, and some whose noise is not the common one.
LOST, NOISY = (20, 30), (slice(40, 44), slice(50, 53))


@pytest.fixture(scope="module")
def exposure(tmp_path_factory, pytestconfig):
    """A Level-2 file, whose keywords the image takes over."""
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base).files[0]


@pytest.fixture(scope="module")
def reference():
    """A turned image of dithered exposures in which a pixel is lost and some are noisier."""
    sky = stars()
    found = build([sky.exposure(one, seed=k) for k, one in enumerate(dithers(6, angle=5.0))])
    image = found.image
    usable, scale = image.usable.copy(), np.broadcast_to(image.noise.scale, image.data.shape).copy()
    usable[LOST] = False
    scale[NOISY] *= 4
    noise = replace(image.noise, scale=scale)
    return replace(found, image=replace(image, usable=usable, noise=noise))


@pytest.fixture(scope="module")
def written(reference, exposure, tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "r001_wfi07_f146_reference.asdf"
    write_reference(path, reference, PSF, exposure, KEYWORDS)
    return path


@pytest.mark.heavy
def test_what_was_written_is_read(written, reference):
    stored, image = read_reference(written), reference.image
    frame = reference.frame
    assert (stored.frame.ra, stored.frame.dec) == (frame.ra, frame.dec)
    assert (stored.frame.shape, stored.frame.oversampling) == (frame.shape, frame.oversampling)
    np.testing.assert_array_equal(stored.frame.matrix, frame.matrix)
    np.testing.assert_array_equal(stored.image.data, image.data.astype(np.float32))
    np.testing.assert_array_equal(stored.image.usable, image.usable)
    # At another flux, too: what the photons add is known apart from the rest.
    for light in (image.data, image.data + 30):
        variance = stored.image.noise.variance(light)[image.usable]
        np.testing.assert_allclose(variance, image.noise.variance(light)[image.usable], rtol=1e-5)
    np.testing.assert_array_equal(stored.psf.stamps, PSF.stamps.astype(np.float32))
    assert stored.psf.oversampling == PSF.oversampling
    np.testing.assert_array_equal(stored.psf.x_node, PSF.x_node)
    np.testing.assert_array_equal(stored.psf.y_node, PSF.y_node)


def test_pixels_are_looked_at_without_reading_all(written, reference):
    with opened_pixels(written) as (frame, data):
        assert (frame.ra, frame.dec, frame.shape) == (reference.frame.ra, reference.frame.dec, data.shape)
        np.testing.assert_array_equal(frame.matrix, reference.frame.matrix)
        piece = np.array(data[10:20, 30:50])
    np.testing.assert_array_equal(piece, reference.image.data[10:20, 30:50].astype(np.float32))


def test_the_function_between_the_pixels_is_read_too(written, reference):
    """Its coefficients follow from the pixels, but for a margin that has pixels beyond the image."""
    ours, theirs = (one.coefficient[8:-8, 8:-8] for one in (read_reference(written), reference))
    np.testing.assert_allclose(ours, theirs, atol=2e-3 * np.abs(theirs).max())


def test_coverage_is_read_in_whole_exposures(written, reference):
    np.testing.assert_allclose(read_coverage(written), reference.coverage, atol=0.5 + 1e-6)


def test_coverage_ends_at_255(reference, exposure, tmp_path):
    deep = replace(reference, coverage=reference.coverage * 1000)
    write_reference(tmp_path / "deep.asdf", deep, PSF, exposure, KEYWORDS)
    found = read_coverage(tmp_path / "deep.asdf")
    assert (found == 255).any()
    np.testing.assert_array_equal(found[deep.coverage > 255], 255)


def test_rad_knows_the_file_and_its_keywords(written, reference, exposure):
    with roman_datamodels.open(written) as model, roman_datamodels.open(exposure) as first:
        assert type(model).__name__ == "MsosStackModel"
        assert model.validate() is None
        meta = model.meta
        assert meta.filename == written.name
        assert meta.image_list == "a_cal.asdf,b_cal.asdf"
        assert meta.instrument.detector == first.meta.instrument.detector
        said = meta.msos_reference_frame
        assert (said["season"], said["sequence"], said["field"]) == ("s01", "e03", "GBT")
        assert said["exptime"] == KEYWORDS.exposure_time
        assert said["expend_mjd"] - said["expstart_mjd"] == pytest.approx(7.5)
        assert (said["ra_field_cen"], said["dec_field_cen"]) == KEYWORDS.field_centre
        # The middle PSF of two nodes is the blend of both; a WCS is that of the frame.
        np.testing.assert_allclose(model.psf, PSF.at(*reference.frame.middle), rtol=1e-6)
        x, y = np.array([0.0, 40.0, 90.0]), np.array([3.0, 70.0, 10.0])
        ra, dec = reference.frame.to_sky(x, y)
        np.testing.assert_allclose(meta.wcs(x, y), (ra, dec), atol=1e-10)
    assert [one.name for one in written.parent.iterdir()] == [written.name]


def check_refused(path, *words, of=read_reference):
    with pytest.raises(Rejected) as refused:
        of(path)
    assert refused.value.code == "bad_reference"
    assert refused.value.where == str(path)
    said = str(refused.value)
    assert "\n" not in said
    for word in ("cannot be read as a reference image", *words):
        assert word in said


@pytest.mark.parametrize(
    "name", ["data", "uncertainty", "mask", "psf_nodes", "stamps", "matrix", "noise_read", "oversampling"]
)
def test_a_file_without_one_of_its_parts_is_refused(written, tmp_path, name):
    """Its name in the header is another."""
    content = written.read_bytes()
    key = f" {name}:".encode()
    assert key in content
    path = tmp_path / "without.asdf"
    path.write_bytes(content.replace(key, key.replace(b":", b"")[:-1] + b"_:"))
    check_refused(path, name)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mask", np.zeros((3, 4), np.uint8), ("mask is of shape (3, 4)",)),
        ("uncertainty", np.zeros((3, 4)), ("uncertainty is of shape (3, 4)",)),
        ("psf_nodes", "none", ()),
        (
            "psf_nodes",
            {"stamps": np.zeros((1, 1, 4, 4)), "x": [0.0], "y": [0.0], "oversampling": 2},
            ("odd",),
        ),
    ],
)
def test_a_file_with_a_wrong_part_is_refused(written, tmp_path, name, value, words):
    with roman_datamodels.open(written) as model:
        model[name] = value
        model.save(tmp_path / "wrong.asdf")
    check_refused(tmp_path / "wrong.asdf", *words)


def test_what_is_no_reference_image_is_refused(written, exposure, tmp_path):
    missing, text, cut = (tmp_path / name for name in ("missing.asdf", "text.asdf", "cut.asdf"))
    text.write_text("ra dec\n1 2\n")
    content = written.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    for of in (read_reference, read_coverage):
        check_refused(missing, of=of)
        check_refused(text, of=of)
        check_refused(exposure, "it is a ImageModel", of=of)
    check_refused(cut)


def test_what_a_killed_run_left_of_a_span_goes_with_its_earlier_images(tmp_path):
    new = tmp_path / "r003_wfi07_f146_61465_61473_run9_reference.asdf"
    earlier = tmp_path / "r003_wfi07_f146_61465_61473_run2_reference.asdf"
    killed = tmp_path / ".writing-r003_wfi07_f146_61465_61473-x1"
    others = [
        tmp_path / "r003_wfi07_f146_61473_61481_run2_reference.asdf",
        tmp_path / "r003_wfi07_f146_61465_61473_run2_season.asdf",
        tmp_path / ".writing-r003_wfi07_f146_61473_61481-x1" / "half",
    ]
    for path in (new, earlier, killed / "half", *others):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    remove_earlier(new)
    assert not earlier.exists()
    assert not killed.exists()
    assert all(path.exists() for path in (new, *others))
