"""A VOTable looked through before it is read: whether its rows are in it, and what memory they will take.

Astropy keeps values of a declared size, text among them, as wide as they may be in each row, whatever is in
the document, and takes memory for as many rows as a table says that it has. Text beyond the bound of its
column (``arraysize="64*"``) or its length it cuts off. Archives write bounds that values exceed, and others
that are far larger than any, so that columns of text are made ones of any length (``*``) before astropy sees
the document; but not those of a fixed length in a stream, in which each text takes as many bytes.
"""

from __future__ import annotations

import math
import re
from xml.parsers import expat

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.limits import UploadLimits

#: Bytes of a value in memory, by its type: in Python text has four a character.
_SIZES = {
    "boolean": 1, "bit": 1, "unsignedByte": 1, "short": 2, "int": 4, "long": 8, "char": 4, "unicodeChar": 4,
    "float": 4, "double": 8, "floatComplex": 8, "doubleComplex": 16,
}  # fmt: skip
_LARGEST = max(_SIZES.values())
#: Bytes of the place of a value of any length, whose value is about as long as in the document; and of the
#: length before it in a stream.
_PLACE, _LENGTH = 16, 4
_TEXTS = ("char", "unicodeChar")
#: The beginning of an element, and an attribute of it.
_ELEMENT = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"\s+(?P<name>[^\s=]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*')")
#: A part of a document that becomes another one.
_Change = tuple[int, int, bytes]
#: Rows for which astropy takes memory at first, and by how much it takes more.
_FIRST_ROWS, _GROWTH = 512, 1.5


def checked_votable(content: bytes, limits: UploadLimits) -> bytes:
    """Look a document through, and return it with texts of any length.

    Raises
    ------
    BadRequest
        If it has its rows elsewhere, grows when it is read, or has more than it may.
    """
    return _Looked(limits, content).at_all()


class _Looked:
    """What was seen of a document so far."""

    def __init__(self, limits: UploadLimits, content: bytes) -> None:
        self._limits, self._content = limits, content
        #: What becomes other in the document, and what does if the rows of the present table are written out.
        self._changes: list[_Change] = []
        self._changes_of_rows: list[_Change] = []
        self._parser = expat.ParserCreate()
        #: Memory of all tables.
        self._n_byte = 0
        #: Columns of the present table, bytes of a row in memory, and at least in a stream.
        self._n_column = self._width = self._least = 0
        self._widest = 0
        #: Rows of the present table: as it says, with memory, and seen; and characters of its stream.
        self._said = self._taken = self._seen = self._n_character = 0

    def at_all(self) -> bytes:
        """Look at the whole document, and return what becomes of it."""
        self._parser.StartElementHandler = self._begin
        self._parser.StartDoctypeDeclHandler = self._document_type
        self._parser.Parse(self._content, True)
        parts, place = [], 0
        for first, last, words in sorted(self._changes):
            parts += [self._content[place:first], words]
            place = last
        return b"".join([*parts, self._content[place:]])

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind != "LINK" and "href" in attributes:
            raise BadRequest("the rows of a VOTable must be in it, not behind a link")
        if kind == "TR":
            self._row()
        elif kind == "TABLE":
            self._table(attributes)
        elif kind in ("FIELD", "PARAM"):
            self._field(kind, attributes)
        elif kind == "TABLEDATA":
            self._changes += self._changes_of_rows
        elif kind == "DATA":
            self._take(max(self._said, _FIRST_ROWS))
        elif kind == "STREAM":
            self._stream()
        elif kind == "FITS":
            raise BadRequest("the rows of a VOTable must be in it as such: send the FITS file itself")

    def _document_type(self, *_: object) -> None:
        raise BadRequest("a VOTable has no document type")

    def _table(self, attributes: dict[str, str]) -> None:
        """Begin a table; one that refers to another has the columns of any before."""
        self._changes_of_rows = []
        self._said = _number(attributes.get("nrows", "0"))
        self._taken = self._seen = self._n_character = self._n_column = 0
        self._width, self._least = (self._widest, 1) if "ref" in attributes else (0, 0)

    def _field(self, kind: str, attributes: dict[str, str]) -> None:
        """Add a column; a parameter has a value of its own, and no rows."""
        lengths = attributes.get("arraysize", "1")
        if kind == "FIELD" and attributes.get("datatype") in _TEXTS:
            if re.fullmatch("[0-9]+[*]", lengths):
                self._changes.append(self._of_any_length())
                lengths = "*"
            elif lengths.isdigit():
                self._changes_of_rows.append(self._of_any_length())
        size = _SIZES.get(attributes.get("datatype", ""), _LARGEST)
        width = size * math.prod(map(_number, re.findall("[0-9]+", lengths)))
        self._limits.check_memory(width)
        if kind == "FIELD":
            has_any_length = "*" in lengths
            self._width += width + _PLACE * has_any_length
            self._least += _LENGTH if has_any_length else -(-width // 8)  # of bits, which are packed
            self._n_column += 1
            self._widest = max(self._widest, self._width)

    def _of_any_length(self) -> _Change:
        """How the element that begins says that its text has any length."""
        element = _ELEMENT.match(self._content, self._parser.CurrentByteIndex)
        place = begin = len(self._content) if element is None else element.end()
        while (attribute := _ATTRIBUTE.match(self._content, place)) is not None:
            if attribute["name"] == b"arraysize":
                return *attribute.span("value"), b'"*"'
            place = attribute.end()
        return begin, begin, b' arraysize="*"'

    def _row(self) -> None:
        """Count a row that is written out."""
        self._seen += 1
        if self._seen > self._limits.rows:
            self._limits.check_shape(self._seen, self._n_column)
        if self._seen > self._taken:
            self._take(math.ceil(self._taken * _GROWTH))

    def _stream(self) -> None:
        """Begin to count the characters of a stream, and see at its end how many rows there may be."""
        if self._least == 0:
            raise BadRequest("a row of a VOTable must have a byte at least")
        self._parser.CharacterDataHandler = self._text
        self._parser.EndElementHandler = self._end

    def _text(self, characters: str) -> None:
        self._n_character += len(characters)

    def _end(self, _: str) -> None:
        self._parser.CharacterDataHandler = self._parser.EndElementHandler = None
        self._take(self._n_character * 3 // 4 // self._least)  # base64 has four characters for three bytes

    def _take(self, n_row: int) -> None:
        """Count the memory of so many rows of the present table."""
        self._n_byte += max(0, n_row - self._taken) * self._width
        self._taken = max(self._taken, n_row)
        self._limits.check_memory(self._n_byte)


def _number(text: str) -> int:
    """A number of a document, of at most 18 digits; what is none is 0, and astropy says why."""
    return int(text[:18]) if text.isascii() and text.isdigit() else 0
