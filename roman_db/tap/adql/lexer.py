"""From text to tokens: ADQL 2.1, section 2.1. Whatever is not of the language is refused here."""

from __future__ import annotations

import re

from sqlglot.tokenizer_core import Token, TokenType

from roman_db.tap.adql.error import AdqlError, shortened

#: Longest query, in characters: room for 10,000 identifiers of objects in a list.
MAX_LENGTH = 300_000
#: Largest number of tokens.
MAX_TOKENS = 50_000

_PATTERN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f]+ | --[^\n]*)
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<hex>0[xX][0-9a-fA-F]+(?![0-9A-Za-z_.]))
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.]))
    | (?P<string>'(?:[^']|'')*')
    | (?P<delimited>"(?:[^"]|"")+")
    | (?P<symbol><>|!=|<=|>=|\|\||[-+*/(),.=<>&|^~;])
    """,
    re.VERBOSE,
)
_KIND = {
    "word": TokenType.VAR,
    "hex": TokenType.HEX_STRING,
    "number": TokenType.NUMBER,
    "string": TokenType.STRING,
    "delimited": TokenType.IDENTIFIER,
    "symbol": TokenType.UNKNOWN,
}
#: NUL and halves of surrogate pairs, which PostgreSQL stores in no text.
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
#: What people write who know other languages, and what to write instead.
_FOREIGN = {
    "/*": "ADQL has comments to the end of the line alone, after --",
    "::": "ADQL converts by CAST(value AS type)",
    ":": "ADQL has no parameters",
    "$": "ADQL has no parameters and no dollar quotes",
    "'": "the text in quotes has no end",
    '"': "the name in double quotes is empty or has no end",
    "[": "ADQL has no subscripts; roman_element(array, n) takes an element",
    "%": "the remainder is MOD(a, b)",
    "`": 'names are delimited by double quotes: "name"',
    "_": 'a name that begins with an underscore must stand in double quotes: "_name"',
}


def tokenize(text: str) -> list[Token]:
    """Tokens of a query with their lines and columns.

    Strings and delimited names come without quotes and with doubled ones made single.

    Raises
    ------
    AdqlError
        If the text is too long, or has something that is no token of ADQL.
    """
    if len(text) > MAX_LENGTH:
        raise AdqlError(f"the query is longer than {MAX_LENGTH} characters: upload a table instead")
    if (stray := _NO_CHARACTER.search(text)) is not None:
        before = text[: stray.start()]
        line, column = before.count("\n") + 1, stray.start() - before.rfind("\n")
        raise AdqlError(f"U+{ord(stray[0]):04X} is no character of a text", line, column)
    tokens: list[Token] = []
    place, line, start_of_line = 0, 1, 0
    while place < len(text):
        found = _PATTERN.match(text, place)
        column = place - start_of_line + 1
        if found is None or text.startswith("/*", place):
            raise _foreign(text, place, line, column)
        kind, body, end = str(found.lastgroup), found.group(), found.end()
        if kind != "space":
            content = _unquoted(body) if kind in ("string", "delimited") else body
            tokens.append(Token(_KIND[kind], content, line, column, place, end - 1))
            if len(tokens) > MAX_TOKENS:
                raise AdqlError(f"the query has more than {MAX_TOKENS} words: upload a table", line, column)
        if "\n" in body:
            line += body.count("\n")
            start_of_line = place + body.rindex("\n") + 1
        place = end
    tokens.append(Token(TokenType.END, "", line, len(text) - start_of_line + 1, len(text), len(text)))
    return tokens


def _unquoted(body: str) -> str:
    """Return what stands between the quotes."""
    return body[1:-1].replace(body[0] * 2, body[0])


def _foreign(text: str, place: int, line: int, column: int) -> AdqlError:
    """Error of a character that begins no token."""
    found = text[place : place + 2]
    hint = _FOREIGN.get(found) or _FOREIGN.get(found[0])
    if found[0].isdigit() or found[0] == ".":
        found, hint = re.split(r"[\s(),]", text[place : place + 60])[0], "this is no number"
    elif hint is None:
        found = found[0]
        hint = "ADQL has letters a to z, digits and ' \" ( ) * + - , . / ; < = > _ & | ^ ~"
    return AdqlError(f"{hint} (found {shortened(found)})", line, column, found)
