"""DataLink documents, and the descriptor by which a result of TAP says that its rows have one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

import jinja2

from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Descriptor
from roman_db.templates import environment
from roman_db.vo.data_link import CUTOUT_SERVICE, PERIOD_SERVICE, Link

#: Media type of a document.
MEDIA_TYPE = "application/x-votable+xml;content=datalink"
#: Stored columns that ID of a document may be, the first that is there.
_IDENTIFYING = (
    "ivoa.obscore.obs_publisher_did",
    "ivoa.ssa.obs_publisher_did",
    *(f"roman.{table}.object_id" for table in ("object", "current_object", "event")),
)
#: Names that may be identifiers in XML, of ASCII.
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def link_document(links: Sequence[Link], address: str, is_cut: bool) -> str:
    """Document with rows, and the descriptors of the services that cut out where a row names them."""
    return _template().render(
        links=links,
        address=address,
        is_cut=is_cut,
        services={one.service_def for one in links},
        image_service=CUTOUT_SERVICE,
        period_service=PERIOD_SERVICE,
    )


def link_descriptor(columns: Iterable[OutputColumn], address: str) -> Descriptor | None:
    """Descriptor for the results of a query whose rows have links; None where they have none.

    Parameters
    ----------
    columns
        Columns of the results: they have links where one is a stored identifier of products or objects.
    address
        Address of the services.
    """
    by_source = {one.source: one.name for one in reversed(tuple(columns))}
    column = next((by_source[one] for one in _IDENTIFYING if one in by_source), None)
    if column is None:
        return None
    identifier = column if _XML_NAME.fullmatch(column) else "identifier"
    return Descriptor(column, identifier, _resource(identifier, address))


def _resource(identifier: str, address: str) -> str:
    """RESOURCE that says that values of a FIELD are taken by the service of links."""
    return (
        '<RESOURCE type="meta" utype="adhoc:service" name="links">\n'
        '<PARAM name="standardID" datatype="char" arraysize="*" '
        'value="ivo://ivoa.net/std/DataLink#links-1.1"/>\n'
        f'<PARAM name="accessURL" datatype="char" arraysize="*" value={quoteattr(f"{address}/datalink")}/>\n'
        '<GROUP name="inputParams">\n'
        f'<PARAM name="ID" datatype="char" arraysize="*" ref={quoteattr(identifier)} value=""/>\n'
        "</GROUP>\n</RESOURCE>\n"
    )


@cache
def _template() -> jinja2.Template:
    """Template of a document, which escapes what is put in."""
    return environment(Path(__file__).parent / "templates").get_template("links.xml")
