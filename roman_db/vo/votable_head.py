"""What stands before the rows of a VOTable, with more said in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from roman_db.templates import FORBIDDEN


def with_attribute(head: str, name: str, attribute: str) -> str:
    """Put an attribute into the FIELD of a name."""
    return once(head, f'<FIELD name="{name}" ', f'<FIELD {attribute} name="{name}" ')


def once(text: str, old: str, new: str) -> str:
    """Replace what stands in a text once; ValueError where it does not."""
    before, found, after = text.partition(old)
    if not found:
        raise ValueError(f"the head of a VOTable has no {old!r}: {text[:200]!r}")
    return before + new + after


@dataclass(frozen=True)
class Param:
    """What a document says once: the attributes of a PARAM; texts have no arraysize to be given.

    Parameters
    ----------
    name, value, utype
        A number that is None is NaN, a text that is None is empty.
    datatype, arraysize, unit, ucd
        As of a FIELD.
    description
        What it means, in words.
    """

    name: str
    value: object
    utype: str | None = None
    datatype: str = "char"
    arraysize: str | None = None
    unit: str | None = None
    ucd: str | None = None
    description: str = ""

    def element(self) -> str:
        """The PARAM."""
        known = {
            "name": self.name,
            "ID": self.name.replace(":", "_") if ":" in self.name else None,
            "datatype": "unicodeChar"
            if self.datatype == "char" and not self._text.isascii()
            else self.datatype,
            "arraysize": "*" if self.datatype == "char" else self.arraysize,
            "unit": self.unit,
            "ucd": self.ucd,
            "utype": self.utype,
        }
        attributes = "".join(f" {key}={quoteattr(value)}" for key, value in known.items() if value)
        about = f"<DESCRIPTION>{escape(self.description)}</DESCRIPTION>" if self.description else ""
        return f"<PARAM{attributes} value={quoteattr(self._text)}>{about}</PARAM>\n"

    @property
    def _text(self) -> str:
        """Its value as the attribute has it, without what XML has no place for."""
        if self.value is None:
            return "" if self.datatype == "char" else "NaN"
        if isinstance(self.value, tuple):
            return " ".join("NaN" if one is None else repr(one) for one in self.value)
        return re.sub(FORBIDDEN, "\ufffd", str(self.value))
