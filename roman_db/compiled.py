"""Functions compiled by numba, whose code is kept on disk for the next process.

numba's own cache goes wrong in two ways that a service meets. Processes that compile at once, as workers do
after an upgrade, share one index of numbered files: one may read what another has yet to overwrite, and run
the code of another signature or of an older release. And a function is compiled again where its own file has
changed, yet what it calls and the constants that it imports are part of its code as well. Here the code of
each function and signature is one file, which is put in place whole and named by all that went into it.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import pickle
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from llvmlite import __version__ as llvmlite_version
from numba.core.caching import FunctionCache, IndexDataCacheFile

_PLAIN = (bool, int, float, complex, str, bytes, tuple, type(None), np.generic)
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_UNREADABLE = (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, ValueError, IndexError)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that compiles a function at its first call, to run without the interpreter's lock.

    ``options`` are those of ``numba.njit`` (``fastmath``, ``error_model``, ``inline``).
    """

    def compile_function(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(nogil=True, **options)(function)
        chosen = " ".join(f"{name}={_value(options[name])}" for name in sorted(options))
        dispatcher._cache = _Cache(function, chosen)
        return dispatcher

    return compile_function


class _Cache(FunctionCache):
    """numba's cache of a function, with files of its own."""

    def __init__(self, function: Any, options: str) -> None:
        super().__init__(function)
        self._cache_file = _Files(function, options, self._impl)


class _Files(IndexDataCacheFile):
    """Compiled code of one function, a file for each signature and processor."""

    def __init__(self, function: FunctionType, options: str, place: Any) -> None:
        super().__init__(
            place.locator.get_cache_path(), place.filename_base, place.locator.get_source_stamp()
        )
        self._function, self._options, self._base = function, options, place.filename_base

    @cached_property
    def _content(self) -> str:
        """Digest of all that the code is made of, known once the modules of what it calls are imported."""
        made_by = (numba.__version__, llvmlite_version, self._options, self._source_stamp)
        return _digest(repr(made_by) + content(self._function))

    def flush(self) -> None:
        """Forget what is compiled."""
        self._remove(keep="")

    def load(self, key: Any) -> Any:
        """What was compiled for a key; None where nothing was, or where its file cannot be read."""
        try:
            stored, data = self._load_data(self._name(key))
        except _UNREADABLE:
            return None
        return data if stored == key else None

    def save(self, key: Any, data: Any) -> None:
        """Keep what was compiled for a key, and drop what other sources left."""
        self._save_data(self._name(key), (key, data))
        self._remove(keep=f"{self._base}.{self._content}.")

    def _name(self, key: Any) -> str:
        return f"{self._base}.{self._content}.{_digest(_ADDRESS.sub('', repr(key)))}.nbc"

    def _remove(self, keep: str) -> None:
        for path in Path(self._cache_path).glob(f"{glob.escape(self._base)}.*"):
            if ".tmp." not in path.name and not (keep and path.name.startswith(keep)):
                with contextlib.suppress(OSError):
                    path.unlink()


def content(function: FunctionType) -> str:
    """All that a function is compiled from: its code, what it calls, and the constants that they name."""
    seen: dict[int, FunctionType] = {}
    return "\n".join(_contents(function, seen))


def _contents(function: FunctionType, seen: dict[int, FunctionType]) -> Iterator[str]:
    """Descriptions of a function and of those that it reaches, each once."""
    if id(function) in seen:
        return
    seen[id(function)] = function
    yield f"{function.__module__}.{function.__qualname__} {_code(function.__code__)}"
    for name, value in _named(function):
        called = _called(value)
        if called is None:
            yield f"{name}={_value(value)}"
        else:
            yield f"{name}()"
            yield from _contents(called, seen)


def _code(code: CodeType) -> str:
    """Instructions with their constants, those of functions within it included."""
    constants = (_code(c) if isinstance(c, CodeType) else _value(c) for c in code.co_consts)
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {' '.join(constants)}"


def _names(code: CodeType) -> list[str]:
    """Names that instructions look up, those of functions within included."""
    within = [name for c in code.co_consts if isinstance(c, CodeType) for name in _names(c)]
    return [*code.co_names, *within]


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Names that a function takes from around it, with what they stand for.

    Of a module, which may be asked for anything, those names are taken that the function uses; modules of
    numba, numpy and Python come with their versions.
    """
    names = _names(function.__code__)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    yield from ((name, cell.cell_contents) for name, cell in cells)
    for name in names:
        value = function.__globals__.get(name)
        if not isinstance(value, ModuleType):
            yield name, value
        elif value.__name__.partition(".")[0] == function.__module__.partition(".")[0]:
            yield from ((f"{name}.{of}", vars(value)[of]) for of in names if of in vars(value))


def _called(value: Any) -> FunctionType | None:
    """The Python function behind a compiled one or an intrinsic of numba; None for anything else."""
    for behind in ("py_func", "_defn"):
        value = getattr(value, behind, value)
    return value if isinstance(value, FunctionType) else None


def _value(value: Any) -> str:
    """A constant as text, and anything else by its name."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {_digest(value.tobytes())}"
    if isinstance(value, set | frozenset):
        return " ".join(sorted(map(_value, value)))
    if isinstance(value, _PLAIN):
        return _ADDRESS.sub("", repr(value))
    return f"{getattr(value, '__qualname__', type(value).__qualname__)} {getattr(value, '_fields', '')}"


def _digest(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()[:24]
