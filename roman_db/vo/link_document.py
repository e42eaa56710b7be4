"""DataLink documents, and the descriptor by which a result of TAP says that its rows have one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

import jinja2

from roman_db.vo.data_link import CUTOUT_SERVICE, Link

#: Media type of a document.
MEDIA_TYPE = "application/x-votable+xml;content=datalink"
#: Columns of a result that ID of a document may be, the first that is there.
_IDENTIFYING = ("obs_publisher_did", "object_id")


def link_document(links: Sequence[Link], address: str, is_cut: bool) -> str:
    """Document with rows, and the descriptor of the service that cuts out where a row names it."""
    return _template().render(
        links=links,
        address=address,
        is_cut=is_cut,
        has_cutouts=any(one.service_def is not None for one in links),
        service=CUTOUT_SERVICE,
    )


def link_descriptor(columns: Sequence[str], address: str) -> str:
    """RESOURCE that goes after the results of a query whose rows have links; empty text where they have none.

    Parameters
    ----------
    columns
        Names of the columns of the results, each the ID of its FIELD where it is one of those that identify.
    address
        Address of the services.
    """
    name = next((one for one in _IDENTIFYING if one in columns), None)
    if name is None:
        return ""
    return (
        '<RESOURCE type="meta" utype="adhoc:service" name="links">\n'
        '<PARAM name="standardID" datatype="char" arraysize="*" '
        'value="ivo://ivoa.net/std/DataLink#links-1.1"/>\n'
        f'<PARAM name="accessURL" datatype="char" arraysize="*" value={quoteattr(f"{address}/datalink")}/>\n'
        '<GROUP name="inputParams">\n'
        f'<PARAM name="ID" datatype="char" arraysize="*" ref="{name}" value=""/>\n'
        "</GROUP>\n</RESOURCE>\n"
    )


@cache
def _template() -> jinja2.Template:
    """Template of a document, which escapes what is put in."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("links.xml")
