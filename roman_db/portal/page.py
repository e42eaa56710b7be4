"""Pages from templates: what is put in is escaped, and what a page may load is said in its headers."""

from __future__ import annotations

import hashlib
import math
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from roman_db.portal.calculations import prepare
from roman_db.portal.sign_in import visitor
from roman_db.settings import settings
from roman_db.templates import environment

#: What the browser loads: scripts and styles, made of `browser/` by ``make setup``.
BUNDLE = Path(__file__).parent / "bundle"

_UNKNOWN = "–"

#: No page loads anything from elsewhere. Styles in the page are those of the editor; the view of the sky
#: compiles WebAssembly and draws from data.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
}


def page(template: str, request: Request, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a template and its values."""
    prepare()
    known = visitor(request)
    common = {
        "who": None if known is None else known.account.name,
        "root": root_of(request),
        "base": (settings().tap_url or str(request.base_url)).rstrip("/"),
        "path": request.url.path,
        "search": "",
    }
    text = _environment().get_template(template).render(common | values)
    return HTMLResponse(text, status, headers=HEADERS)


def not_found(request: Request, what: str, search: str = "") -> HTMLResponse:
    """Answer that there is no such thing."""
    return page("not_found.html", request, 404, what=what, search=search)


def root_of(request: Request) -> str:
    """What stands before the addresses of all pages, where a proxy adds something; without a slash."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def number(value: float | None, places: int) -> str:
    """Number with so many places; a dash for what is unknown."""
    return _UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{places}f}"


def digits(value: float | None, count: int = 4) -> str:
    """Number with so many digits that count; a dash for what is unknown."""
    return _UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{count}g}"


def whole(value: int | None) -> str:
    """Whole number with thousands apart; a dash for what is unknown."""
    return _UNKNOWN if value is None else f"{int(value):,}"


def size(value: float | None) -> str:
    """Bytes as people read them, in powers of ten (IEC 80000-13); a dash for what is unknown."""
    if value is None:
        return _UNKNOWN
    power = min(max(len(str(int(value))) - 1, 0) // 3, 5)
    return f"{value / 1000**power:.{1 if power else 0}f} {('B', 'kB', 'MB', 'GB', 'TB', 'PB')[power]}"


def moment(value: Any) -> str:
    """Time in UTC to the minute; a dash for what is unknown."""
    return _UNKNOWN if value is None else f"{value:%Y-%m-%d %H:%M}"


def words(value: str | None) -> str:
    """A word of the database as people write it; a dash for what is unknown."""
    return _UNKNOWN if value is None else value.replace("_", " ")


@cache
def _environment() -> jinja2.Environment:
    made = environment(Path(__file__).parent / "templates")
    made.filters |= {"number": number, "digits": digits, "whole": whole, "moment": moment, "words": words}
    made.filters |= {"size": size}
    made.globals["bundled"] = _bundled
    return made


@cache
def _bundled(name: str) -> str:
    """Name of a file of the bundle with a mark that changes with its content, so that browsers keep it."""
    path = BUNDLE / name
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"
    return f"{name}?{mark}"
