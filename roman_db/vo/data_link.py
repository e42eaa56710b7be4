"""Links of products (DataLink 1.1): from what is known of them to rows of a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from roman_db.vo.identifier import Product, identifier

_VOTABLE = "application/x-votable+xml"
_LINKS = f"{_VOTABLE};content=datalink"
_ASDF = "application/x-asdf"
_PARQUET = "application/vnd.apache.parquet"
_FITS = "application/fits"
#: Radius of the cutout of a reference image around an object, deg.
CUTOUT_RADIUS = 5 / 3600
#: Identifiers of the services that cut out, in the document: of images, and of light curves.
CUTOUT_SERVICE, PERIOD_SERVICE = "cutout", "period"


@dataclass(frozen=True)
class Link:
    """One row of a document: an address, a service or an error; semantics of the IVOA's core vocabulary."""

    id: str
    semantics: str
    access_url: str | None = None
    service_def: str | None = None
    error_message: str | None = None
    local_semantics: str | None = None
    description: str | None = None
    content_type: str | None = None
    content_length: int | None = None
    content_qualifier: str | None = None


Facts = Mapping[str, Any]


def links_of(product: Product, facts: Facts | None, address: str) -> list[Link]:
    """Links of a product.

    Parameters
    ----------
    facts
        Row of ``queries/services/<kind>_links.sql``; None where there is no such product.
    address
        Address of the services, without a slash at its end.
    """
    if facts is None:
        return [not_found(product.given)]
    return list(_OF_KIND[product.kind](product, facts, address))


def not_found(given: str) -> Link:
    """Row for an identifier that names nothing."""
    return Link(given, "#this", error_message=f"NotFoundFault: there is no product {given[:200]!r}")


def _of_object(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """Catalog row, light curves, events, spectra, images and what was measured of the exposures."""
    where = f"object_id = {product.number}"
    yield _query(product, address, "#this", f"SELECT * FROM roman.object WHERE {where}", "Row of the catalog")
    yield from _light_curves(product, facts["optical_elements"], address, "#derivation")
    if facts["event_ids"]:
        query = (
            "SELECT v.season, v.classification, m.* FROM roman.event AS v "
            f"JOIN roman.event_model AS m ON m.event_id = v.event_id WHERE v.{where}"
        )
        yield _query(product, address, "#derivation", query, "Events and their models", "event-model")
    for number in facts["event_ids"]:
        yield _document(product, "event", number, address, "#derivation", f"What there is of event {number}")
    for number in facts["spectrum_ids"]:
        yield from _spectrum(product, number, address, "#derivation")
        words = f"What there is of spectrum {number}"
        yield _document(product, "spectrum", number, address, "#derivation", words)
    for number in facts["reference_image_ids"]:
        yield _cutout_around(product, facts, number, address)
    place = f"CONTAINS(POINT({facts['ra']!r}, {facts['dec']!r}), s_region) = 1"
    for subtype, name in (("exposure", "Exposures"), ("difference", "Differences")):
        query = f"SELECT * FROM ivoa.obscore WHERE dataproduct_subtype = '{subtype}' AND {place}"
        words = f"{name} that cover the object, as rows of ObsCore"
        yield _query(product, address, "#progenitor", query, words, subtype)


def _of_light_curve(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """The light curve, and the object that it is of."""
    elements = [one for one in facts["optical_elements"] if product.element in (None, one)]
    if not elements:
        yield not_found(product.given)
        return
    yield from _light_curves(product, elements, address, "#this")
    yield _document(product, "object", product.number, address, "#progenitor", "What there is of the object")


def _of_event(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """Its row and models, curves of these and what they leave, and the object."""
    where = f"event_id = {product.number}"
    yield _query(product, address, "#this", f"SELECT * FROM roman.event WHERE {where}", "Row of the event")
    if facts["n_model"]:
        models = f"SELECT * FROM roman.event_model WHERE {where} AND superseded_at IS NULL ORDER BY rank"
        yield _query(product, address, "#derivation", models, "Its models", "event-model")
        url = f"{address}/event_curves?ID={_escaped('event', product.number)}"
        for asked, words in (
            ("models", "Curves of its models"), ("residuals", "What the believed model leaves"),
        ):  # fmt: skip
            yield Link(
                product.given, "#derivation", f"{url}&WHAT={asked}", description=words,
                local_semantics=f"event-{asked}", content_type=_VOTABLE, content_qualifier="#timeseries",
            )  # fmt: skip
    number = facts["object_id"]
    yield _document(product, "object", number, address, "#progenitor", "What there is of its object")


def _of_spectrum(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """The spectrum, what was fitted to it, its file and its object."""
    yield from _spectrum(product, product.number, address, "#this")
    where = f"spectrum_id = {product.number}"
    for table, words, order in (
        ("redshift", "Redshift and class", ""),
        ("redshift_alternative", "Other redshifts that it may have", " ORDER BY rank"),
        ("line_measurement", "Lines", " ORDER BY wavelength"),
    ):
        if facts["has_redshift"] or table == "redshift":
            query = f"SELECT * FROM roman.{table} WHERE {where}{order}"
            yield _query(product, address, "#derivation", query, words, table.replace("_", "-"))
    url = f"{address}/data?ID={_escaped(product.kind, product.number)}"
    yield Link(
        product.given, "#progenitor", url, description="File that it was read from, as it is stored",
        content_length=facts["size_bytes"],
    )  # fmt: skip
    if facts["object_id"] is not None:
        number = facts["object_id"]
        yield _document(product, "object", number, address, "#auxiliary", "What there is of its object")


def _of_exposure(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """The file, cutouts of it, and its difference."""
    yield from _file(product, facts, address, _ASDF, "Calibrated exposure, as it was loaded")
    if facts["difference_image_id"] is not None:
        number = facts["difference_image_id"]
        yield _document(product, "difference_image", number, address, "#derivation", "Its difference")


def _of_reference_image(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """The file, cutouts of it, and the exposures in it."""
    yield from _file(product, facts, address, _ASDF, "Reference image")
    query = f"SELECT * FROM roman.reference_image_exposure WHERE reference_image_id = {product.number}"
    yield _query(product, address, "#progenitor", query, "Exposures in the image", "exposure")


def _of_difference_image(product: Product, facts: Facts, address: str) -> Iterator[Link]:
    """Sources, and what was subtracted from what."""
    query = f"SELECT * FROM roman.dia_source WHERE difference_image_id = {product.number}"
    yield _query(product, address, "#this", query, "Sources of the difference")
    if facts["path"] is not None:
        url = f"{address}/data?ID={_escaped(product.kind, product.number)}"
        yield Link(
            product.given, "#this", url, description="Sources as delivered", content_type=_PARQUET
        )  # fmt: skip
    for kind, column, words in (
        ("exposure", "exposure_id", "Exposure from which it was subtracted"),
        ("reference_image", "minuend_reference_image_id", "Reference image from which it was subtracted"),
        ("reference_image", "reference_image_id", "Reference image that was subtracted"),
    ):
        if facts[column] is not None:
            yield _document(product, kind, facts[column], address, "#progenitor", words)


_OF_KIND: Mapping[str, Callable[[Product, Facts, str], Iterator[Link]]] = {
    "object": _of_object,
    "light_curve": _of_light_curve,
    "event": _of_event,
    "spectrum": _of_spectrum,
    "exposure": _of_exposure,
    "reference_image": _of_reference_image,
    "difference_image": _of_difference_image,
}


def _light_curves(product: Product, elements: Sequence[str], address: str, semantics: str) -> Iterator[Link]:
    """Light curves in some optical elements, each as a VOTable and as Parquet."""
    for element in elements:
        url = f"{address}/timeseries?ID={_escaped('light_curve', product.number, element)}"
        words = f"Light curve in {element}"
        for content_type, asked in ((_VOTABLE, ""), (_PARQUET, "&RESPONSEFORMAT=parquet")):
            yield Link(
                product.given, semantics, url + asked, local_semantics="light-curve", description=words,
                content_type=content_type, content_qualifier="#timeseries",
            )  # fmt: skip
    if elements:
        yield Link(
            product.given, "#cutout", service_def=PERIOD_SERVICE, local_semantics="light-curve",
            description="Part of its light curves in time or wavelength", content_type=_VOTABLE,
            content_qualifier="#timeseries",
        )  # fmt: skip


def _spectrum(product: Product, number: int, address: str, semantics: str) -> Iterator[Link]:
    """A spectrum, as a VOTable, in FITS and as Parquet."""
    url = f"{address}/ssa/data?ID={_escaped('spectrum', number)}"
    for content_type, asked in (
        (_VOTABLE, ""), (_FITS, "&RESPONSEFORMAT=fits"), (_PARQUET, "&RESPONSEFORMAT=parquet"),
    ):  # fmt: skip
        yield Link(
            product.given, semantics, url + asked, local_semantics="spectrum",
            description=f"Spectrum {number}", content_type=content_type, content_qualifier="#spectrum",
        )  # fmt: skip


def _cutout_around(product: Product, facts: Facts, number: int, address: str) -> Link:
    """Cutout of a reference image around an object."""
    circle = quote(f"{facts['ra']!r} {facts['dec']!r} {CUTOUT_RADIUS!r}")
    url = f"{address}/soda/sync?ID={_escaped('reference_image', number)}&CIRCLE={circle}"
    return Link(
        product.given, "#cutout", url, local_semantics="reference-image", content_qualifier="#image",
        description=f"Reference image {number} around the object", content_type=_FITS,
    )  # fmt: skip


def _file(product: Product, facts: Facts, address: str, content_type: str, words: str) -> Iterator[Link]:
    """The file of an image, and the service that cuts out of it."""
    if facts["path"] is None:
        return
    url = f"{address}/data?ID={_escaped(product.kind, product.number)}"
    yield Link(
        product.given, "#this", url, description=words, content_type=content_type,
        content_length=facts["size_bytes"], content_qualifier="#image",
    )  # fmt: skip
    yield Link(
        product.given, "#cutout", service_def=CUTOUT_SERVICE, description="Cutouts of it in FITS",
        content_type=_FITS, content_qualifier="#image",
    )  # fmt: skip


def _document(product: Product, kind: str, number: int, address: str, semantics: str, words: str) -> Link:
    """Link to the document of another product."""
    url = f"{address}/datalink?ID={_escaped(kind, number)}"
    return Link(product.given, semantics, url, description=words, content_type=_LINKS)


def _query(
    product: Product, address: str, semantics: str, query: str, words: str, local: str | None = None
) -> Link:
    """Link to the answer to a query of TAP."""
    url = f"{address}/tap/sync?LANG=ADQL&QUERY={quote(query)}"
    return Link(
        product.given, semantics, url, local_semantics=local, description=words, content_type=_VOTABLE
    )  # fmt: skip


def _escaped(kind: str, number: int, element: str | None = None) -> str:
    """Identifier as part of an address."""
    return quote(identifier(kind, number, element), safe=":/")
