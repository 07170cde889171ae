"""The routes of an OpenAPI file: its paths and their methods, nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.config.problems import Problem
from greylag.config.tree import parse
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def routes_of(file: Path) -> tuple[str, ...]:
    """ "METHOD /path" for every operation, in the file's order. YAML or JSON, OpenAPI 3.

    Raises ConfigurationError for a file that is missing or has no paths.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"the OpenAPI file {file} cannot be read: {reason}") from None
    tree = parse(text, str(file))
    if isinstance(tree, Problem):
        raise ConfigurationError(f"the OpenAPI file {tree}")
    paths = tree.entries["paths"].entries if "paths" in tree.entries else {}
    routes = tuple(
        f"{method.upper()} {path}"
        for path, node in paths.items()
        for method in _METHODS
        if method in node.entries
    )
    if not routes:
        raise ConfigurationError(f"the OpenAPI file {file} has no operation under `paths`")
    return routes
