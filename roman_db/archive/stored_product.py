"""Products whose files loaders wrote when they measured: source catalogs and segmentation maps of the SOC."""

from __future__ import annotations

from dataclasses import dataclass, fields

from roman_db.archive.refusal import ProductRefused
from roman_db.archive.request import Scope


@dataclass(frozen=True)
class StoredProduct:
    """A kind of product.

    Parameters
    ----------
    name
        RAD's name, and that on the command line.
    model
        Its data model in roman_datamodels.
    schema
        Schema of RAD.
    table
        Table of the archive in which it has a row; None where RAD gives it none.
    formats
        Formats that it can be written in.
    """

    name: str
    model: str
    schema: str
    table: str | None
    formats: tuple[str, ...]

    @property
    def is_map(self) -> bool:
        """Whether it is an image of labels."""
        return self.table == "SegmentationMap"

    @property
    def is_forced(self) -> bool:
        """Whether another image's detection was measured."""
        return self.table is None


def _catalog(name: str, model: str) -> StoredProduct:
    return StoredProduct(name, model, f"{name}-2.2.0", "SourceCatalog", ("asdf", "parquet"))


def _forced(name: str, model: str) -> StoredProduct:
    return StoredProduct(name, model, f"{name}-2.2.0", None, ("parquet",))


def _map(name: str, model: str, version: str) -> StoredProduct:
    return StoredProduct(name, model, f"{name}-{version}", "SegmentationMap", ("asdf",))


STORED_PRODUCTS = {
    product.name: product
    for product in (
        _catalog("image_source_catalog", "ImageSourceCatalogModel"),
        _catalog("mosaic_source_catalog", "MosaicSourceCatalogModel"),
        _catalog("multiband_source_catalog", "MultibandSourceCatalogModel"),
        _forced("forced_image_source_catalog", "ForcedImageSourceCatalogModel"),
        _forced("forced_mosaic_source_catalog", "ForcedMosaicSourceCatalogModel"),
        _map("segmentation_map", "SegmentationMapModel", "2.2.0"),
        _map("mosaic_segmentation_map", "MosaicSegmentationMapModel", "2.1.0"),
        _map("multiband_segmentation_map", "MultibandSegmentationMapModel", "2.1.0"),
    )
}


def check_scope(product: StoredProduct, scope: Scope) -> None:
    """Check that nothing is said of the product but its set.

    Raises
    ------
    ProductRefused
        If something is.
    """
    foreign = [one.name for one in fields(Scope) if getattr(scope, one.name) != one.default]
    if foreign:
        raise ProductRefused(
            product.name,
            [f"--set alone divides it: leave out --{name.replace('_', '-')}" for name in foreign],
        )
