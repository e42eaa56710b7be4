"""Files of Level 2 in the forms that they come in."""

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm

from loaders.injection.level2 import Job, inject_level2
from loaders.injection.light import PreparedPsf
from loaders.injection.names import injected_name, output_path
from loaders.injection.sources import ArtificialSources
from loaders.rejection import Rejected
from loaders.simulation.product import write_product
from loaders.wfi.level2 import read_level2
from loaders.wfi.product_name import parse_product_name
from tests.loaders.simulation.conftest import moffat_psf

FLUX = 3e4


def added(path, folder, psf=None):
    """Put a star into the middle of a file; the path of the result."""
    projection = read_level2(path).projection
    ny, nx = projection.shape
    star = ArtificialSources.stars(
        *projection.to_sky(np.array([nx / 2]), np.array([ny / 2])), np.array([FLUX])
    )
    job = Job(path, output_path(path, folder), star, None, 7, "trial")
    assert inject_level2(job, PreparedPsf.of(psf or moffat_psf())).all()
    return job.output


def light(path, output):
    """Light that was added, nJy, as the reader of exposures sees it, and the variance that came with it."""
    before, after = read_level2(path), read_level2(output)
    rate = after.data.astype(float) - before.data
    variance = after.err.astype(float) ** 2 - before.err.astype(float) ** 2
    lit = rate > 5
    return np.nansum(rate) * before.njy_per_unit, np.median(variance[lit] / rate[lit])


def changed(path, folder, change):
    """The same file under the same name, changed."""
    folder.mkdir()
    with rdm.open(path) as model:
        change(model)
        write_product(folder / path.name, model)
    return folder / path.name


def test_a_file_with_as_little_as_rad_demands(survey, tmp_path):
    """Without variance of reads, log and visit, as romanisim writes them."""
    path = survey.exposures()[0]

    def strip(model):
        del model._instance["var_rnoise"], model.meta["cal_logs"]
        model.meta.observation.visit_id = "?"

    little = changed(path, tmp_path / "little", strip)
    output = added(little, tmp_path)
    with rdm.open(output) as model:
        model.validate()
        assert "var_rnoise" not in model
    assert read_level2(output).metadata.visit_id == read_level2(path).metadata.visit_id
    whole = added(path, tmp_path / "little")
    np.testing.assert_allclose(light(little, output), light(path, whole), rtol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("sign", [1, -1])
def test_a_file_in_megajanskys_gets_the_same_light(survey, tmp_path, sign):
    """Also where the conversion is negative, and the image with it."""
    path = survey.exposures()[0]

    def convert(model):
        photometry = model.meta.photometry
        for name in ("conversion_megajanskys", "pixel_area"):
            photometry[name] = sign * photometry[name]
        factor = np.float32(photometry.conversion_megajanskys)
        model.data = np.asarray(model.data) * factor
        for name, power in (("err", abs(factor)), ("var_poisson", factor**2), ("var_rnoise", factor**2)):
            model[name] = (np.asarray(model[name]).astype(np.float32) * power).astype(np.float16)
        model.meta.cal_step.flux = "COMPLETE"

    converted = changed(path, tmp_path / "converted", convert)
    found = light(converted, added(converted, tmp_path))
    expected = light(path, added(path, tmp_path / "converted"))
    assert found[0] == pytest.approx(expected[0], rel=0.01)
    assert found[1] == pytest.approx(expected[1], rel=0.02)


def test_names_say_which_exposure_and_that_it_is_none_of_the_archive(tmp_path):
    name = injected_name("r0000201001001001001_0001_wfi07_f146_cal.asdf")
    parsed = parse_product_name(name)
    assert (parsed.visit_id, parsed.exposure, parsed.product) == ("0000201001001001001", 1, "injectedcal")
    assert injected_name("r00001_full_268m29_f146_coadd.asdf") == "r00001_full_268m29_f146_injectedcoadd.asdf"
    assert injected_name("copy.asdf") == "copy_injected.asdf"


def test_an_image_is_not_written_over_itself(tmp_path):
    """Which the name alone prevents, unless the output is a link to the image."""
    image = tmp_path / "image_cal.asdf"
    image.touch()
    (tmp_path / injected_name(image.name)).symlink_to(image)
    with pytest.raises(Rejected, match="is the image itself"):
        output_path(image, tmp_path)


def test_arrays_of_different_shapes_are_refused(survey, tmp_path):
    def cut(model):
        model.err = np.asarray(model.err)[1:]

    path = changed(survey.exposures()[0], tmp_path / "cut", cut)
    job = Job(path, tmp_path / "out.asdf", ArtificialSources.stars(*(np.ones(1),) * 3), None, 1, "trial")
    with pytest.raises(Rejected, match="does not fit data"):
        inject_level2(job, PreparedPsf.of(moffat_psf()))
    assert not (tmp_path / "out.asdf").exists()
