"""Photometry flags as runs: most points of most stars carry none, and those that do, carry them for long.

A run packs the first exposure, the number of exposures and the bits that all of them carry into one integer,
``first * 2**32 + length * 2**16 + bits``; exposures with no bits stand in no run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FlagMatrix = npt.NDArray[np.uint16]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FlagRuns:
    """Runs of many objects: those of object i are ``run[start[i] : start[i + 1]]``."""

    run: Int64Array
    start: Int64Array


def encode_flag_run(flags: FlagMatrix) -> FlagRuns:
    """Pack flags into runs.

    Parameters
    ----------
    flags
        Shape (n_object, n_epoch), at most 65,535 epochs.

    Raises
    ------
    ValueError
        If there are more epochs than a run can number.
    """
    if flags.shape[1] > 65_535:
        raise ValueError(f"a block holds at most 65535 epochs, got {flags.shape[1]}")
    start = np.zeros(flags.shape[0] + 1, np.int64)
    np.cumsum(_count_runs(flags), out=start[1:])
    return FlagRuns(_fill_runs(flags, start), start)


def expand_flag_run(runs: FlagRuns, n_epoch: int) -> FlagMatrix:
    """Unpack runs into flags, shape (n_object, n_epoch)."""
    flags = np.zeros((runs.start.size - 1, n_epoch), np.uint16)
    _expand(runs.run, runs.start, flags)
    return flags


@compiled()
def _count_runs(flags: FlagMatrix) -> Int64Array:
    """Count the runs of every object."""
    count = np.zeros(flags.shape[0], np.int64)
    for i in range(flags.shape[0]):
        previous = np.uint16(0)
        for bits in flags[i]:
            if bits != 0 and bits != previous:
                count[i] += 1
            previous = bits
    return count


@compiled()
def _fill_runs(flags: FlagMatrix, start: Int64Array) -> Int64Array:
    """Write the runs of every object."""
    run = np.empty(start[-1], np.int64)
    for i in range(flags.shape[0]):
        at = start[i] - 1
        previous = np.uint16(0)
        for j in range(flags.shape[1]):
            bits = flags[i, j]
            if bits != 0 and bits != previous:
                at += 1
                run[at] = (np.int64(j) << 32) | np.int64(bits)
            if bits != 0:
                run[at] += 1 << 16
            previous = bits
    return run


@compiled()
def _expand(run: Int64Array, start: Int64Array, flags: FlagMatrix) -> None:
    """Write the bits of every run."""
    for i in range(flags.shape[0]):
        for k in range(start[i], start[i + 1]):
            first = run[k] >> 32
            length = (run[k] >> 16) & 65535
            flags[i, first : first + length] = np.uint16(run[k] & 65535)
