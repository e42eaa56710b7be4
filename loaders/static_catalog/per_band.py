"""All products of a catalog: of several bands also RAD's ``forced_mosaic_source_catalog`` of each."""

from __future__ import annotations

import re
from pathlib import Path

from loaders.static_catalog.catalog import StaticCatalog
from loaders.static_catalog.measure import Columns
from loaders.static_catalog.product import Products, write_catalog

_OF_SOURCES = (
    "label", "flagged_spatial_id", "bbox_xmin", "bbox_xmax", "bbox_ymin", "bbox_ymax",
    "x_centroid", "x_centroid_err", "y_centroid", "y_centroid_err",
    "x_centroid_win", "x_centroid_win_err", "y_centroid_win", "y_centroid_win_err",
    "ra_centroid", "ra_centroid_err", "dec_centroid", "dec_centroid_err",
    "ra_centroid_win", "ra_centroid_win_err", "dec_centroid_win", "dec_centroid_win_err", "ra", "dec",
    "semimajor", "semiminor", "ellipticity", "fwhm", "orientation_pix", "orientation_sky",
    "cxx", "cyy", "cxy", "kron_radius", "segment_area", "nn_label", "nn_distance", "image_flags",
)  # fmt: skip


def forced_view(catalog: StaticCatalog, optical_element: str) -> StaticCatalog:
    """The sources of a detection as they were measured in one band, without measuring them again.

    It has the columns of `loaders.static_catalog.catalog.forced_catalog`.

    Parameters
    ----------
    catalog
        Catalog of several bands.
    optical_element
        One of them.
    """
    (image,) = (one for one in catalog.images if one.optical_element == optical_element)
    columns: Columns = {name: catalog.columns[name] for name in _OF_SOURCES}
    columns["forced_warning_flags"] = catalog.columns["warning_flags"]
    own = re.compile(rf"_{optical_element.lower()}(?=_|$)")
    for name, values in catalog.columns.items():
        if own.search(name):
            columns[f"forced_{own.sub('', name)}"] = values
    columns["forced_ra"], columns["forced_dec"] = catalog.columns["ra"], catalog.columns["dec"]
    return StaticCatalog(columns, {}, catalog.labels, (image,), catalog.sources)


def write_products(catalog: StaticCatalog, folder: Path) -> tuple[Products, dict[str, Path]]:
    """Write a catalog with its segmentation map, and what was measured in each of several bands."""
    folder.mkdir(parents=True, exist_ok=True)
    products = write_catalog(catalog, folder)
    if catalog.reference is None:
        return products, {}
    elements = [image.optical_element for image in catalog.images]
    return products, {one: write_catalog(forced_view(catalog, one), folder).catalog for one in elements}
