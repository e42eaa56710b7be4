"""What is stored: cut-outs of files, matrices of blocks, and which light curves are searched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import CatalogStars
from loaders.photometry.measure import pixel_image
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.refined_photometry.cutouts import cut_scene, scene_of
from loaders.refined_photometry.options import RefineOptions
from loaders.refined_photometry.refine import RefinedEvent, Status
from loaders.refined_photometry.rows import Target, lay_out, row_of
from loaders.rejection import Rejected
from loaders.stored_curve.preferred import preferred
from loaders.wfi.level2 import read_level2
from tests.loaders.refined_photometry.scenes import blended as scene_of_arrays

OPTIONS = RefineOptions()


@dataclass(frozen=True)
class Curve:
    optical_element: str
    n_measured: int


def test_refined_light_curves_are_taken_where_they_are_complete():
    daily = [Curve("F087", 10), Curve("F146", 100), Curve("F213", 10)]
    refined = {"F146": Curve("F146", 90), "F213": Curve("F213", 8)}
    assert preferred(daily, refined) == [daily[0], refined["F146"], daily[2]]
    assert preferred([], refined) == []


def test_an_object_of_two_events_has_the_fluxes_of_its_own():
    truth = scene_of_arrays(0, n=16, stars=6, alone=0.6)
    refined = truth.refined(np.array([2]))
    mine, other = np.array([50, 1, 40, 3, 4, 5]), np.array([40, 1, 50, 3, 4, 5])
    epochs = {"F146": np.arange(4, 20)}
    found = lay_out([(refined, mine, epochs), (refined, other, epochs)], "F146", 20)
    assert found.object_id.tolist() == [40, 50]
    flux = refined.fluxes["F146"].flux.astype("f4")
    assert np.array_equal(found.segments.flux[:, 4:], flux[[0, 0]])
    assert np.isnan(found.segments.flux[:, :4]).all()
    assert found.of_epochs(np.arange(4)).object_id.size == 0
    unseen = (RefinedEvent(Status.NO_EXPOSURE), mine, {"F146": np.arange(0)})
    assert lay_out([unseen], "F146", 0).object_id.size == 0
    assert lay_out([(RefinedEvent(Status.NO_MODEL), mine, epochs)], "F146", 20).object_id.size == 0


def test_the_row_of_an_event_says_where_it_is():
    truth = scene_of_arrays(1, n=30, alone=0.6)
    refined = truth.refined()
    row = row_of(Target(1, 359.99999, -60.0, 2027.0), refined, truth.cutouts)
    east, north = refined.scene.state.place
    assert row["ra"] == pytest.approx((359.99999 + east / 3.6e6 / 0.5) % 360, abs=1e-12)
    assert row["dec"] == pytest.approx(-60 + north / 3.6e6, abs=1e-12)
    assert (row["n_exposure"], row["n_star"], row["n_varying"]) == (30, 20, 0)
    assert abs(row["ra_dec_corr"]) < 1
    assert not any(isinstance(value, np.generic) for value in row.values())
    nothing = row_of(Target(1, 0.0, 0.0, 2027.0), RefinedEvent(Status.FEW_EXPOSURES, "F146"), None)
    assert (nothing["status"], nothing["ra"], nothing["n_exposure"]) == ("few_exposures", None, 0)


def catalog(image, x, y, flux):
    """Stars at pixels of an image, without motion."""
    ra, dec = image.projection.to_sky(np.array(x), np.array(y))
    none = np.full(len(x), np.nan)
    epoch = np.full(len(x), 2027.17)
    return CatalogStars(
        np.arange(len(x)), CatalogAstrometry(ra, dec, epoch, none, none, none), np.array(flux), 1
    )


@pytest.mark.heavy
def test_cut_outs_are_the_pixels_of_the_file_and_end_at_its_edge(blended):
    image = read_level2(next(iter(sorted(blended.folder.glob("*_cal.asdf")))))
    pixels = pixel_image(image)
    stars = catalog(image, [30.3, 1.2, 31.3, 50.0], [32.4, 60.0, 33.4, 32.0], [100.0, 100.0, np.nan, 1e6])
    psf = optical_psf("WFI07", "F146", 1930.0, 2130.0, OpticsSettings(half_width=30))
    scenes = [scene_of(stars, row, OPTIONS) for row in (0, 1)]
    middle, edge = (cut_scene(image, pixels, 7, psf, scene, OPTIONS) for scene in scenes)
    assert scenes[0].objects.tolist() == [0, 2]
    half = middle.data.shape[0] // 2
    expected = image.data[32 - half : 33 + half, 30 - half : 31 + half] * image.njy_per_unit
    assert middle.data + middle.beyond == pytest.approx(
        np.where(middle.usable, expected, middle.beyond), rel=1e-5
    )
    assert middle.beyond.max() > 10 * middle.beyond.min() > 0
    # Places are those of the catalog, but for aberration, parallax and the like: none.
    assert (middle.x[0], middle.y[0]) == pytest.approx((half + 0.3, half + 0.4), abs=1e-3)
    assert not edge.usable[:, : half - 1].any()
    assert edge.usable[:, half:].mean() > 0.5
    assert np.abs(np.linalg.det(middle.to_pixel)) == pytest.approx(110.0**-2, rel=0.05)
    beside = scene_of(catalog(image, [-3.0], [10.0], [1.0]), 0, OPTIONS)
    assert cut_scene(image, pixels, 7, psf, beside, OPTIONS) is None


@pytest.mark.heavy
def test_images_without_pixels_are_refused(blended):
    image = read_level2(next(iter(sorted(blended.folder.glob("*_cal.asdf")))))
    with pytest.raises(Rejected):
        pixel_image(replace(image, dq=np.ones_like(image.dq)))
