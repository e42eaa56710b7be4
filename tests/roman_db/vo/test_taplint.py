"""The service as STILTS' taplint sees it, in all its stages; it does not ask anybody else."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

#: Stages of STILTS 3.4: those of TAP, ObsCore and ObsLocTAP.
STAGES = 16


@pytest.mark.heavy
@pytest.mark.skipif(shutil.which("stilts") is None, reason="STILTS is not installed")
def test_taplint_finds_nothing_wrong(address):
    done = subprocess.run(
        ["stilts", "taplint", f"tapurl={address}/tap", "maxrepeat=99"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert len(re.findall(r"^Section \w{3}:", done.stdout, re.MULTILINE)) >= STAGES
    assert re.findall(r"^[EFW]-.*", done.stdout, re.MULTILINE) == []
    assert re.search(r"^Totals: Errors: 0; Warnings: 0; .* Failures: 0$", done.stdout, re.MULTILINE)
