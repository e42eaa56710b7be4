"""What validators say of a VOTable."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

from astropy.io.votable import parse

#: A run is short: compiling well and collecting garbage side by side cost more than they save.
_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def lint(content: bytes, path: Path, has_ucd1: bool) -> list[str]:
    """Complaints of STILTS (votlint) where it is installed; astropy raises what it finds.

    Cone search asks for UCDs of version 1, which astropy takes for errors in newer VOTables.
    """
    if not has_ucd1:
        parse(io.BytesIO(content), verify="exception")
    program = shutil.which("stilts")
    if program is None:
        return []
    path.write_bytes(content)
    done = subprocess.run(
        [program, *_JAVA, "votlint", str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    return (done.stdout + done.stderr).splitlines()
