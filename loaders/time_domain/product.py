"""Sources in the difference of an exposure as RAD's ``time_domain_source_catalog``, in Parquet or ASDF."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from roman_datamodels.datamodels import TimeDomainSourceCatalogModel

from loaders.time_domain.columns import further_columns, rad_columns
from loaders.time_domain.measure import MeasuredSources
from loaders.wfi.catalog_product import exposure_catalog_meta, exposure_keywords, rad_column, write_whole

_ENDING = "_tdcat"


@dataclass(frozen=True)
class TemplateKeywords:
    """What the product says of the template and of the difference: its group ``meta.difference``.

    Parameters
    ----------
    template
        File name of the reference image.
    n_template
        Exposures in the template.
    is_left_out
        Whether the exposure is one of those of that image, which was made without it.
    threshold
        Signal-to-noise ratio from which a source is listed.
    kernel_sum, template_share, reduced_chi2, fraction_beyond
        As in ``roman.difference_image``.
    """

    template: str
    n_template: int
    is_left_out: bool
    threshold: float
    kernel_sum: float
    template_share: float
    reduced_chi2: float
    fraction_beyond: float


def product_name(exposure: Path, suffix: str = ".parquet") -> str:
    """Name of the catalog of an exposure: ``…_cal.asdf`` becomes ``…_tdcat.parquet``."""
    return f"{exposure.name.removesuffix('.asdf').removesuffix('_cal')}{_ENDING}{suffix}"


def write_catalog(
    measured: MeasuredSources,
    exposure: Path,
    keywords: TemplateKeywords,
    directory: Path,
    suffix: str = ".parquet",
) -> Path:
    """Write the catalog of an exposure; the file is there when it is whole, or not at all.

    Parameters
    ----------
    measured
        The sources.
    exposure
        Level-2 file, whose keywords the catalog takes over.
    keywords
        What else it says.
    directory
        Where to; it is made if it is not there.
    suffix
        ``.parquet``, as Roman archives catalogs, or ``.asdf``.

    Raises
    ------
    asdf.exceptions.ValidationError
        If the product breaks its schema.
    Rejected
        If the exposure cannot be read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / product_name(exposure, suffix)
    model = catalog_model(measured, exposure, keywords, path.name)
    write_whole(path, model.save)
    return path


def catalog_model(
    measured: MeasuredSources, exposure: Path, keywords: TemplateKeywords, filename: str
) -> TimeDomainSourceCatalogModel:
    """The catalog as RAD's product, not yet validated."""
    model = TimeDomainSourceCatalogModel()
    model["meta"] = _meta(exposure, keywords, filename)
    model["source_catalog"] = _table(measured)
    return model


def _table(measured: MeasuredSources) -> Table:
    """Columns with RAD's types, units and descriptions, then those that RAD does not define."""
    columns = [rad_column(name, values, _definition(name)) for name, values in rad_columns(measured).items()]
    for name, (values, unit, description) in further_columns(measured).items():
        dtype = np.float32 if values.dtype.kind == "f" else np.int32
        columns.append(
            rad_column(name, values, {"unit": unit, "description": description, "datatype": dtype})
        )
    return Table(columns)


@functools.cache
def _definition(name: str) -> dict[str, Any]:
    """RAD's definition of a column: type, unit and description."""
    found = TimeDomainSourceCatalogModel.create_fake_data().get_column_definition(name)
    if found is None:
        raise ValueError(f"RAD defines no column {name!r}")
    return dict(found)


def _meta(exposure: Path, keywords: TemplateKeywords, filename: str) -> dict[str, Any]:
    """Metadata: those of the exposure, and of the comparison."""
    keywords_of = exposure_keywords(exposure)
    return exposure_catalog_meta(keywords_of, filename, TimeDomainSourceCatalogModel.__name__) | {
        # Which catalog a position comes from, and what its identifier is called there.
        "forced_psf_catalogs": ["roman.object", filename],
        "id_columns": ["object_id", "source_number"],
        "difference": asdict(keywords),
    }
