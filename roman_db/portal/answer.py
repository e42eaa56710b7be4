"""Answers in JSON: arrays of numpy as lists, and null for what is not a number."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from starlette.responses import Response


def json_response(document: Any, status: int = 200) -> Response:
    """Answer with a document."""
    text = json.dumps(plain(document), allow_nan=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json", headers={"Cache-Control": "no-cache"})


def problem(message: str, status: int) -> Response:
    """Answer with what is wrong, in words for whoever looks at the page."""
    return json_response({"problem": message}, status)


def plain(value: Any) -> Any:
    """A value as JSON has it; NaN and infinities are null."""
    if isinstance(value, np.ndarray):
        return _list(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date | datetime) else value


def _list(values: np.ndarray[Any, Any]) -> list[Any]:
    """An array of shape (n,) as a list."""
    if values.dtype.kind == "f":
        listed: list[float | None] = values.astype(np.float64).tolist()
        if np.isfinite(values).all():
            return listed
        return [one if one is not None and math.isfinite(one) else None for one in listed]
    return [str(one) for one in values] if values.dtype.kind in "OU" else list(values.tolist())
