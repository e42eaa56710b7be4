"""Files that cannot be used: each is refused in one line, with a stable code."""

from __future__ import annotations

import os
import re
from pathlib import Path

import gwcs
import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from astropy import units as u
from astropy.coordinates import ICRS, Galactic
from astropy.io import fits
from astropy.modeling import models
from astropy.time import Time
from gwcs import coordinate_frames as cf
from roman_datamodels.dqflags import pixel

from loaders.rejection import Rejected
from loaders.wfi.known import check_known
from loaders.wfi.level2 import read_level2, read_metadata

SHAPE = (64, 80)


def check_refused(path: Path, code: str, *words: str, read=read_level2) -> str:
    """Check that a file is refused with a code, in one line that holds some words."""
    with pytest.raises(Rejected) as caught:
        read(path)
    line = str(caught.value)
    assert caught.value.code == code, line
    assert "\n" not in line
    assert len(line) < 480
    assert path.name in line
    for word in words:
        assert word in line, line
    return line


def damaged(path: Path, change) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def block_offsets(content: bytes) -> list[int]:
    return [found.start() for found in re.finditer(b"\xd3BLK", content)]


@pytest.mark.parametrize("read", [read_level2, read_metadata])
def test_missing(tmp_path, read):
    check_refused(tmp_path / "none.asdf", "missing_file", read=read)


def test_folder(tmp_path):
    check_refused(tmp_path, "missing_file", "folder")


def test_unreadable():
    """Reading this file of Linux fails for everybody: nothing is mapped at address 0."""
    check_refused(Path("/proc/self/mem"), "unreadable_file", "permissions")


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    check_refused(tmp_path / "pipe", "missing_file", "no regular file")


@pytest.mark.parametrize("read", [read_level2, read_metadata])
def test_empty(tmp_path, read):
    path = tmp_path / "empty.asdf"
    path.touch()
    check_refused(path, "empty_file", read=read)


def test_text(tmp_path):
    path = tmp_path / "text.asdf"
    path.write_text("ra,dec\n1,2\n")
    check_refused(path, "not_asdf", "found text that begins “ra,dec”")
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    check_refused(path, "not_asdf", "binary data that begins 89 50 4e 47")


def test_fits(tmp_path):
    path = tmp_path / "image.asdf"
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(path)
    check_refused(path, "not_asdf", "FITS")


@pytest.mark.parametrize("read", [read_level2, read_metadata])
@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_truncated(make_level2, fraction, read):
    path = damaged(make_level2(), lambda content: content[: int(len(content) * fraction)])
    check_refused(path, "truncated", "missing", read=read)


@pytest.mark.parametrize("block", [0, 1, 5, -1])
@pytest.mark.parametrize("inside", [0, 3, 20, 53])
def test_truncated_at_a_block(make_level2, block, inside):
    """Cut before, in the token of, in the header of, and just after the header of a block."""
    path = damaged(make_level2(), lambda content: content[: block_offsets(content)[block] + inside])
    check_refused(path, "truncated")


def test_every_byte_of_the_end_is_missed(make_level2):
    path = make_level2()
    content = path.read_bytes()
    index = content.rindex(b"#ASDF BLOCK INDEX")
    for cut in (index + 3, index + 30, len(content) - 4):
        path.write_bytes(content[:cut])
        check_refused(path, "truncated")


@pytest.mark.parametrize("block", range(8))
def test_flipped_bytes_in_a_block(make_level2, block):
    def flip(content: bytes) -> bytes:
        start = block_offsets(content)[block] + 54
        changed = bytearray(content)
        changed[start + 10] ^= 0xFF
        return bytes(changed)

    check_refused(damaged(make_level2(), flip), "corrupted")


@pytest.mark.parametrize("junk", [b"\x00\xff", b"\t[{:", b": : :"])
def test_broken_header(make_level2, junk):
    def spoil(content: bytes) -> bytes:
        at = content.index(b"    exposure:")
        return content[:at] + junk + content[at + len(junk) :]

    check_refused(damaged(make_level2(), spoil), "corrupted", "YAML")


def test_asdf_of_others(tmp_path):
    path = tmp_path / "other.asdf"
    header = "#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n"
    path.write_text(header + "--- !core/asdf-1.1.0\nsimulation: 1\n...\n")
    check_refused(path, "not_roman", "simulation")


@pytest.mark.parametrize("model", [rdm.ScienceRawModel, rdm.MosaicModel])
def test_other_products(tmp_path, model):
    path = tmp_path / "product.asdf"
    shape = (2, 8, 8) if model is rdm.ScienceRawModel else (8, 8)
    model.create_fake_data(shape=shape).save(path)
    check_refused(path, "not_level2", model.__name__)


def test_product_of_a_future_schema(make_level2):
    path = damaged(make_level2(), lambda content: content.replace(b"wfi_image-2.2.0", b"wfi_image-9.9.9"))
    check_refused(path, "not_level2", "version")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"detector: WFI11", b"detector: WFI99", ("meta.instrument.detector", "'WFI99'")),
        (b"telescope: ROMAN", b"telescope: EUCLI", ("meta.telescope", "'EUCLI'")),
        (b"nresultants: -999999", b"nresultants: 'seven'", ("meta.exposure.nresultants", "'seven'")),
        (b"    telescope: ROMAN", b"    telescopf: ROMAN", ("meta", "'telescope' is a required property")),
        (b"  err: !core/nd", b"  rre: !core/nd", ("roman", "'err' is a required property")),
    ],
)
def test_schema_violation(make_level2, old, new, words):
    # A block index at the end would point beside the blocks where the length changes.
    path = damaged(make_level2(), lambda c: c[: c.rindex(b"#ASDF BLOCK INDEX")].replace(old, new))
    check_refused(path, "schema_violation", *words)
    check_refused(path, "schema_violation", *words, read=read_metadata)


@pytest.mark.parametrize("read", [read_level2, read_metadata])
@pytest.mark.parametrize("value", [b"2027-13-41T06:00:00.000", b"2016-12-31T23:59:60.500"])
def test_times_that_are_none(make_level2, value, read):
    path = damaged(make_level2(), lambda content: content.replace(b"2027-03-01T06:00:00.000", value))
    check_refused(path, "bad_keyword", "meta.exposure.start_time", read=read)


def test_array_that_does_not_fit_its_block(make_level2):
    path = damaged(make_level2(), lambda content: content.replace(b"shape: [64, 80]", b"shape: [64, 99]"))
    check_refused(path, "corrupted", "data", "binary block")


def test_wcs_that_cannot_be_decoded(make_level2):
    path = damaged(make_level2(), lambda content: content.replace(b"gwcs/wcs-1.", b"gwcs/wcs-9."))
    check_refused(path, "unusable_wcs", "meta.wcs")


def test_no_wcs(make_level2):
    check_refused(make_level2(wcs=None), "no_wcs", "meta.wcs")


def wcs_to(frame: cf.CoordinateFrame, transform) -> gwcs.WCS:
    detector = cf.Frame2D(name="detector", axes_names=("x", "y"), unit=(u.pix, u.pix))
    return gwcs.WCS([(detector, transform), (frame, None)])


def sky(frame=None) -> cf.CelestialFrame:
    return cf.CelestialFrame(
        name="sky", reference_frame=ICRS() if frame is None else frame, unit=(u.deg, u.deg)
    )


def tan(scale: float):
    return (
        (models.Scale(scale) & models.Scale(scale))
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(10.0, 20.0, 180.0)
    )


@pytest.mark.parametrize(
    ("wcs", "word"),
    [
        (wcs_to(sky(), models.Const1D(5.0) & models.Const1D(6.0)), "not invertible"),
        (wcs_to(sky(), models.Shift(np.nan) & models.Shift(0.0)), "not finite"),
        (wcs_to(sky(), tan(1.0 / 3600)), "arcsec wide"),
        (wcs_to(sky(Galactic()), tan(0.11 / 3600)), "galactic"),
        (wcs_to(cf.Frame2D(name="plane"), tan(0.11 / 3600)), "plane"),
    ],
)
def test_unusable_wcs(make_level2, wcs, word):
    check_refused(make_level2(wcs=wcs), "unusable_wcs", "meta.wcs", word)


@pytest.mark.parametrize(
    ("values", "words"),
    [((np.nan,), "are NaN"), ((np.inf, -np.inf), "are infinite"), ((np.nan, np.inf), "are NaN or infinite")],
)
def test_no_pixel_is_a_number(make_level2, values, words):
    data = np.resize(np.array(values, np.float32), SHAPE)
    check_refused(make_level2(arrays={"data": data}), "all_nan", words)


def test_zeros_whose_variance_says_that_they_scatter(make_level2):
    data = np.zeros(SHAPE, np.float32)
    check_refused(make_level2(arrays={"data": data}), "no_signal", "exactly 0")
    data[0, 0] = 1e-3
    assert read_level2(make_level2(arrays={"data": data})).shape == SHAPE


@pytest.mark.parametrize("read", [read_level2, read_metadata])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -5.0])
def test_exposure_time_that_is_none(make_level2, value, read):
    path = make_level2({"exposure.exposure_time": value})
    check_refused(path, "bad_keyword", "meta.exposure.exposure_time", str(value), read=read)


@pytest.mark.parametrize("array", ["err", "var_poisson"])
def test_fully_saturated(make_level2, array):
    arrays = {
        "dq": np.full(SHAPE, pixel.SATURATED.value, dtype=np.uint32),
        array: np.zeros(SHAPE, dtype=np.float16),
    }
    check_refused(make_level2(arrays=arrays), "fully_saturated", "no", "slope")


def test_saturated_with_slopes_is_accepted(make_level2):
    arrays = {"dq": np.full(SHAPE, pixel.SATURATED.value, dtype=np.uint32)}
    assert (read_level2(make_level2(arrays=arrays)).dq == pixel.SATURATED.value).all()


def test_nothing_usable(make_level2):
    arrays = {"dq": np.full(SHAPE, pixel.DO_NOT_USE.value, dtype=np.uint32)}
    check_refused(make_level2(arrays=arrays), "no_usable_pixels")


@pytest.mark.parametrize(("array", "dtype"), [("err", np.float16), ("dq", np.uint32)])
def test_array_shapes(make_level2, array, dtype):
    path = make_level2(arrays={array: np.zeros((64, 79), dtype=dtype)})
    check_refused(path, "array_shape", array, "(64, 79)", "(64, 80)")


def test_one_dimension(make_level2):
    """What the schema refuses is said in words, not as the file's header has it."""
    # A block index at the end would point beside the blocks where the length changes.
    old, new = b"shape: [64, 80]", b"shape: [5120]"
    path = damaged(make_level2(), lambda c: c[: c.rindex(b"#ASDF BLOCK INDEX")].replace(old, new))
    line = check_refused(path, "schema_violation", "the array is not", "dimensions: Expected 2, got 1")
    assert "{" not in line


def test_no_pixels(make_level2):
    arrays = {"data": np.zeros((0, 0), dtype=np.float32)}
    check_refused(make_level2(arrays=arrays), "array_shape", "no pixels")


@pytest.mark.parametrize(
    "keywords",
    [
        {"exposure.end_time": Time("2027-03-01T05:59:59")},
        {"exposure.end_time": Time("2027-03-01T06:00:00")},
        {"exposure.start_time": Time("2020-01-01T00:00:00")},
        {"exposure.start_time": Time("1999-01-01T00:00:00")},
        {"exposure.mid_time": Time("2027-03-01T07:00:00")},
    ],
)
def test_times_without_sense(make_level2, keywords):
    check_refused(make_level2(keywords), "bad_time", "meta.exposure", read=read_metadata)


def test_time_scale_that_needs_earth_rotation(make_level2):
    path = make_level2({"exposure.start_time": Time("2027-03-01T06:00:00", scale="ut1")})
    check_refused(path, "bad_time", "ut1", read=read_metadata)


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"observation.visit_id": "0000202003004005009"}, "visit_id"),
        ({"observation.exposure": 8}, "exposure"),
        ({"instrument.detector": "WFI12"}, "detector"),
        ({"instrument.optical_element": "F087"}, "optical_element"),
    ],
)
def test_name_contradicts_keywords(make_level2, keywords, word):
    path = make_level2()
    other = make_level2(keywords, name="other.asdf").rename(path)
    check_refused(other, "name_contradicts_metadata", word, read=read_metadata)


def test_name_contradicts_recorded_name(make_level2):
    path = make_level2()
    other = path.rename(path.with_name(path.name.replace("_0007_", "_0008_")))
    words = (
        "meta.observation.exposure",
        f"the file name {other.name} says 8",
        f"the keyword meta.filename ({path.name}) says 7",
    )
    check_refused(other, "name_contradicts_metadata", *words, read=read_metadata)


def test_no_visit_anywhere(make_level2):
    check_refused(make_level2(name="mine.asdf"), "unknown_visit", "visit_id", read=read_metadata)


@pytest.mark.parametrize(
    "keywords",
    [
        {"observation.visit_id": "12", "observation.exposure": 1},
        {"observation.visit_id": "0000909009009009009", "observation.exposure": 1, "observation.pass": 3},
    ],
)
def test_bad_visit_id(make_level2, keywords):
    check_refused(make_level2(keywords, name="mine.asdf"), "bad_visit_id", read=read_metadata)


def test_unregistered_detector_and_filter(make_level2):
    metadata = read_metadata(make_level2())
    check_known(metadata, {"WFI11"}, {"F146"})
    with pytest.raises(Rejected, match=r"meta\.instrument\.detector: 'WFI11'.*WFI01, WFI02") as caught:
        check_known(metadata, {"WFI02", "WFI01"}, {"F146"})
    assert caught.value.code == "unknown_detector"
    with pytest.raises(Rejected, match="'F146'") as caught:
        check_known(metadata, {"WFI11"}, {"F087"})
    assert caught.value.code == "unknown_optical_element"
