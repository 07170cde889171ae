"""The project's own functions, which `python:` names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_folders: set[Path] = set()
"""Project folders that functions were loaded from, in this process."""


def load_function(root: Path, name: str) -> Callable[..., Any]:
    """The function `module:function`, from the folder `root` or else from what is installed.

    `root` becomes the first place where modules are looked for, so that what the module imports is found too.
    Raises ConfigurationError where there is no such module or function, or importing it fails.
    """
    module_name, colon, function_name = name.partition(":")
    if not (colon and module_name and function_name):
        raise ConfigurationError(f'{name!r} does not name a function; write "module:function"')
    module = _module(root.resolve(), module_name, name)
    function = getattr(module, function_name, None)
    if not callable(function):
        hint = did_you_mean(function_name, vars(module))
        raise ConfigurationError(f"{module_name} has no function {function_name!r}{hint}")
    return function  # type: ignore[no-any-return]


def _module(folder: Path, module_name: str, name: str) -> ModuleType:
    if sys.path[:1] != [str(folder)]:
        sys.path[:] = [str(folder), *(place for place in sys.path if place != str(folder))]
    _folders.add(folder)
    own = folder.joinpath(*module_name.split(".")).with_suffix(".py")
    if own.exists() and (_file(sys.modules.get(module_name)) or own).parent in _folders - {folder}:
        del sys.modules[module_name]  # another project's module of this name
        importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{name!r} needs the module {error.name}, which is not in the project's folder"
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"importing {module_name} for {name!r} failed: {type(error).__name__}",
            advice=f'Try: python -c "import {module_name}" in the project\'s folder.',
        ) from error
    if own.exists() and _file(module) != own:
        raise ConfigurationError(f"{own.name} has the name of another Python module; give it another name")
    return module


def _file(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None
