"""``python -m bench.archive_peak KIND FOLDER``: export, and print the largest memory of this process, MB."""

import sys
from pathlib import Path

from roman_db.archive.hats.export import Options, export

if __name__ == "__main__":
    export(Options(sys.argv[1], sys.argv[2]), lambda *step: None)
    # Not of getrusage, which counts what the process that started this one had.
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    sys.stdout.write(f"{int(line.split()[1]) / 1024}\n")
