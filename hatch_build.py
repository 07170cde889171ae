"""Builds the wheel: with the compiled core of connectors/dynamodb/native where a C compiler is found, and without it
where there is none. Nothing else of Greylag needs one (docs/decisions/0007-a-compiled-core.md).
"""

from __future__ import annotations

import runpy
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = "greylag/connectors/dynamodb/native"


class CompiledCore(BuildHookInterface[Any]):
    """See https://hatch.pypa.io/latest/plugins/build-hook/custom/."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable installation has it beside its source; a wheel that holds it is for this platform alone."""
        core = runpy.run_path(str(Path(self.root) / "src" / _PLACE / "compile.py"))
        if version == "editable":
            self._note(core["compile_core"]())
            return
        self._folder = tempfile.TemporaryDirectory(prefix="greylag-core-")
        library = Path(self._folder.name) / core["LIBRARY"].name
        if (why := core["compile_core"](library)) is not None:
            self._note(why)
            return
        build_data["force_include"][str(library)] = f"{_PLACE}/{library.name}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _note(self, why: str | None) -> None:
        if why is not None:
            self.app.display_warning(f"without the compiled core, which makes loads faster: {why}")
