"""Light curves that were read a moment ago: zooming and folding ask for the same points again and again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from roman_db import session
from roman_db.asker import current_asker
from roman_db.portal.curve import Curve, read_curves

#: Seconds for which they are kept, and how many objects: a curve of six seasons takes 2 MB.
_KEPT_S, _MOST = 20.0, 8

_kept: OrderedDict[tuple[str, str | None, int, str], tuple[float, list[Curve]]] = OrderedDict()
_lock = threading.Lock()


def kept_curves(object_id: int, photometry_kind: str) -> list[Curve]:
    """Light curves of an object as `read_curves` has them, or had them for the tier in the last seconds."""
    asker = current_asker()
    role = None if asker is None else asker.role
    key = str(session.engine().url), role, object_id, photometry_kind
    with _lock:
        read_at, curves = _kept.get(key, (-_KEPT_S, []))
    if time.monotonic() - read_at < _KEPT_S:
        return curves
    curves = read_curves(object_id, photometry_kind)
    with _lock:
        _kept[key] = time.monotonic(), curves
        _kept.move_to_end(key)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return curves


def forget() -> None:
    """Forget all of them."""
    with _lock:
        _kept.clear()
