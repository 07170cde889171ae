"""Builds the wheel: with the compiled cores where a C compiler is found, and without them where there is none.
Nothing else of Greylag needs one (docs/decisions/0007-compiled-cores.md).
"""

from __future__ import annotations

import runpy
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCores(BuildHookInterface[Any]):
    """See https://hatch.pypa.io/latest/plugins/build-hook/custom/."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable installation has them beside their sources; a wheel with them is for this platform alone."""
        source = Path(self.root) / "src"
        cores = runpy.run_path(str(source / "greylag" / "connectors" / "compiled" / "compile.py"))
        if version == "editable":
            self._note(cores["compile_all"]())
            return
        self._folder = tempfile.TemporaryDirectory(prefix="greylag-cores-")
        for core in cores["CORES"]:
            place = cores["library_of"](core)
            library = Path(self._folder.name) / place.name
            if (why := cores["compile_core"](core, library)) is not None:
                self._note(why)
                return
            build_data["force_include"][str(library)] = place.relative_to(source).as_posix()
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _note(self, why: str | None) -> None:
        if why is not None:
            self.app.display_warning(f"without the compiled cores, which make loads faster: {why}")
