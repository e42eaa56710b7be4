"""What a writer has written, to be sent on."""

from __future__ import annotations

import io


def taken(sink: io.BytesIO) -> bytes:
    """What has been written, which is then forgotten."""
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written
