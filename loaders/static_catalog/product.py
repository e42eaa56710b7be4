"""Static catalogs and segmentation maps as RAD's products, in ASDF and Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import roman_datamodels
from astropy.table import Table
from astropy.time import Time
from roman_datamodels.datamodels import (
    DataModel,
    ForcedImageSourceCatalogModel,
    ForcedMosaicSourceCatalogModel,
    ImageSourceCatalogModel,
    MosaicSegmentationMapModel,
    MosaicSourceCatalogModel,
    MultibandSegmentationMapModel,
    MultibandSourceCatalogModel,
    SegmentationMapModel,
)

from loaders.static_catalog.catalog import StaticCatalog
from loaders.static_catalog.image import EXPOSURE, MOSAIC, SkyImage
from loaders.static_catalog.photoz import PhotometricRedshifts
from loaders.static_catalog.templates import rest_spectra
from loaders.wfi.catalog_product import SOFTWARE, exposure_catalog_meta, plain, rad_column, write_whole

_COMMON = (
    "coordinates",
    "coadd_info",
    "individual_image_meta",
    "instrument",
    "observation",
    "program",
    "statistics",
    "cal_logs",
    "data_release_id",
)
_SINGLE = ("association", "cal_step", "resample")
_ELEMENT = re.compile(r"_(f\d{3})(?=_)")


@dataclass(frozen=True)
class Products:
    """Files of a catalog; None where there are no redshifts, or no segmentation of its own."""

    catalog: Path
    segmentation: Path | None
    redshifts: Path | None


def write_catalog(catalog: StaticCatalog, directory: Path, suffix: str = ".parquet") -> Products:
    """Write a catalog, its segmentation map and the probabilities of its redshifts.

    Names follow those of the images: ``…_f158_coadd.asdf`` or ``…_f158_cal.asdf`` becomes
    ``…_f158_cat.parquet`` and ``…_f158_segm.asdf``; in catalogs of several bands the element is left out.

    Parameters
    ----------
    catalog
        The catalog.
    directory
        Where to.
    suffix
        ``.parquet``, as Roman archives catalogs, or ``.asdf``.

    Raises
    ------
    asdf.exceptions.ValidationError
        If a product breaks its schema.
    """
    stem = product_stem(catalog)
    forced = catalog.is_forced
    table = directory / f"{stem}_{'force' if forced else ''}cat{suffix}"
    segmentation = None if forced else directory / f"{stem}_segm.asdf"
    redshifts = None if catalog.redshifts is None else directory / f"{stem}_photoz.parquet"
    write_whole(table, lambda path: catalog_model(catalog).save(path))
    if segmentation is not None:
        write_whole(segmentation, lambda path: segmentation_model(catalog).save(path))
    if redshifts is not None and catalog.redshifts is not None:
        found = _redshift_table(catalog.redshifts)
        write_whole(redshifts, lambda path: pq.write_table(found, path, compression="zstd"))
    return Products(table, segmentation, redshifts)


def product_stem(catalog: StaticCatalog) -> str:
    """Common part of the names of a catalog's products."""
    name = str(catalog.images[0].meta["filename"]).removesuffix(".asdf")
    name = name.removesuffix("_coadd").removesuffix("_cal")
    return name if catalog.reference is None else _ELEMENT.sub("", f"{name}_").removesuffix("_")


def catalog_model(catalog: StaticCatalog) -> DataModel:
    """The catalog as RAD's product, not yet validated."""
    kind = _catalog_kind(catalog)
    model = kind()
    model["meta"] = _meta(catalog, kind.__name__, "cat.parquet")
    model["source_catalog"] = source_table(catalog, kind.create_fake_data().get_column_definition)
    return model


def _catalog_kind(catalog: StaticCatalog) -> type[DataModel]:
    """What RAD calls the catalog."""
    of_level: dict[int, tuple[type[DataModel], type[DataModel]]] = {
        EXPOSURE: (ImageSourceCatalogModel, ForcedImageSourceCatalogModel),
        MOSAIC: (MosaicSourceCatalogModel, ForcedMosaicSourceCatalogModel),
    }
    detected, forced = of_level[catalog.images[0].level]
    if catalog.reference is not None:
        detected = MultibandSourceCatalogModel
    return forced if catalog.is_forced else detected


def segmentation_model(catalog: StaticCatalog) -> DataModel:
    """The segmentation map as RAD's product, not yet validated."""
    single = SegmentationMapModel if catalog.images[0].level == EXPOSURE else MosaicSegmentationMapModel
    kind = single if catalog.reference is None else MultibandSegmentationMapModel
    model = kind()
    model["meta"] = _meta(catalog, kind.__name__, "segm.asdf")
    model["data"] = catalog.labels.astype(np.uint32)
    return model


def source_table(catalog: StaticCatalog, definition: Callable[[str], Mapping[str, Any] | None]) -> Table:
    """Columns with RAD's types, units and descriptions, then those that RAD does not define."""
    columns = []
    for name, values in catalog.columns.items():
        found = definition(name)
        if found is None:
            raise ValueError(f"RAD defines no column {name!r}")
        columns.append(rad_column(name, values, found))
    for name, (values, unit, description) in catalog.further.items():
        dtype = np.float32 if np.asarray(values).dtype.kind == "f" else np.int32
        columns.append(
            rad_column(name, values, {"unit": unit, "description": description, "datatype": dtype})
        )
    return Table(columns)


def _meta(catalog: StaticCatalog, model_type: str, ending: str) -> dict[str, Any]:
    """Metadata of a product, from those of the images."""
    first, filename = catalog.images[0], f"{product_stem(catalog)}_{ending}"
    if first.level == EXPOSURE:
        return exposure_catalog_meta(first.meta, filename, model_type)
    meta = _common(first) | {
        "calibration_software_name": SOFTWARE,
        "calibration_software_version": version(SOFTWARE),
        "filename": filename,
        "file_date": Time.now(),
        "model_type": model_type,
        "origin": str(first.meta.origin),
        "product_type": "l4",
        "telescope": "ROMAN",
        "image": {"filename": str(first.meta.filename), "file_date": first.meta.file_date},
        "wcsinfo": first.meta.wcsinfo,
    }
    if catalog.reference is None:
        single: dict[str, Any] = plain(meta | {key: first.meta[key] for key in _SINGLE})
        return single
    meta["instrument"] = {"name": "WFI", "optical_element": None}
    meta["image_metas"] = [_image_meta(mosaic) for mosaic in catalog.images]
    meta["psf_match_reference_filter"] = catalog.reference
    several: dict[str, Any] = plain(meta)
    return several


def _common(mosaic: SkyImage) -> dict[str, Any]:
    return {key: mosaic.meta[key] for key in _COMMON if key in mosaic.meta}


def _image_meta(mosaic: SkyImage) -> dict[str, Any]:
    """Metadata of one of several mosaics."""
    names = (
        "calibration_software_name",
        "calibration_software_version",
        "filename",
        "file_date",
        "model_type",
        "origin",
        "product_type",
        "telescope",
    )
    return {key: mosaic.meta[key] for key in names} | _common(mosaic)


def _redshift_table(redshifts: PhotometricRedshifts) -> pa.Table:
    """Label and probability density of each source; redshifts and names of spectra in the metadata."""
    flat = pa.array(np.ascontiguousarray(redshifts.pdf).ravel(), type=pa.float32())
    pdf = pa.FixedSizeListArray.from_arrays(flat, redshifts.redshift.size)
    metadata = {
        "redshift": ",".join(f"{z:.6f}" for z in redshifts.redshift),
        "photoz_sed": ",".join(rest_spectra()[0]),
    }
    label = pa.array(np.arange(1, len(redshifts.photoz) + 1, dtype=np.int32))
    schema = pa.schema([pa.field("label", pa.int32()), pa.field("photoz_pdf", pdf.type)], metadata=metadata)
    return pa.Table.from_arrays([label, pdf], schema=schema)


def read_product(path: Path) -> Any:
    """Open a product in ASDF, validated; the caller closes it."""
    return roman_datamodels.open(path, memmap=False)
