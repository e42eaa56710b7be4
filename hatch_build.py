"""Keep the commit in what is built from a clone: an installed package has no other way to know it."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """Add ``roman_db/resources/commit.txt``; a source distribution hands it on to the wheel made of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file, unless the package stays where the clone is or there is no clone."""
        root = Path(self.root)
        spec = importlib.util.spec_from_file_location("code_version", root / "roman_db" / "code_version.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        commit = None if version == "editable" else module.described_commit(root)
        if commit is not None:
            self._folder = tempfile.TemporaryDirectory()
            file = Path(self._folder.name) / "commit.txt"
            file.write_text(f"{commit}\n")
            inside = module.COMMIT_FILE.relative_to(root.resolve())
            build_data["force_include"][str(file)] = str(inside)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written for the build."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
