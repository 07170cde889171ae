"""Where `${VAR}` gets its value: `.env`, then `.env.<environment>`, then the process's environment; the last wins.

Substitution happens in scalars after the YAML has been read, so a value cannot become YAML. Only variables that
are referenced are looked up. Their values are taken for secrets: no message shows them.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from greylag.config.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from greylag.config.findings import Findings
    from greylag.config.tree import Node, Step

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\{))"
)


class Variables:
    """The values a project may refer to, from files and the process's environment."""

    def __init__(self, environ: Mapping[str, str], files: Iterable[Mapping[str, str]] = ()) -> None:
        self._layers = [*files, environ]

    def get(self, name: str) -> str | None:
        """The value from the last layer that has one."""
        for layer in reversed(self._layers):
            if name in layer:
                return layer[name]
        return None


def environment_files(root: Path, environment: str | None) -> Iterator[Path]:
    """The files that may hold variables, in the order in which a later one wins."""
    yield root / ".env"
    if environment is not None:
        yield root / f".env.{environment}"


def read_environment_file(path: Path) -> tuple[dict[str, str], list[Problem]]:
    """The variables of one file (none where there is no such file) and the lines that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError:
        return {}, [Problem(path.name, 1, "this is not UTF-8 text")]
    except OSError as error:
        return {}, [Problem(path.name, 1, f"cannot be read: {error.strerror}")]
    variables: dict[str, str] = {}
    problems = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(Problem(path.name, binding.original.line, "expected NAME=value"))
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
    return variables, problems


def substitute(node: Node, variables: Variables, findings: Findings, path: tuple[Step, ...] = ()) -> Node:
    """`node` with every `${VAR}` filled in, `$$` made one `$`; what cannot be filled in is a finding."""
    if isinstance(node.value, dict):
        entries = {
            key: substitute(below, variables, findings, (*path, key)) for key, below in node.value.items()
        }
        return replace(node, value=entries)
    if isinstance(node.value, tuple):
        items = (
            substitute(below, variables, findings, (*path, place)) for place, below in enumerate(node.value)
        )
        return replace(node, value=tuple(items))
    if isinstance(node.value, str) and "$" in node.value:
        return _fill(node, node.value, variables, findings, path)
    return node


def _fill(node: Node, text: str, variables: Variables, findings: Findings, path: tuple[Step, ...]) -> Node:
    used: dict[str, str] = {}
    unset = False

    def fill(match: re.Match[str]) -> str:
        nonlocal unset
        if match["dollar"]:
            return "$"
        if match["broken"]:
            findings.add(
                path, "`${` begins a variable: write ${NAME} or ${NAME:-default}, and $${ for the text ${"
            )
            unset = True
            return ""
        value = variables.get(match["name"])
        if match["default"] is not None and not value:
            return match["default"]
        if value is None:
            findings.add(
                path,
                f"the variable {match['name']} is not set; set it in .env or the environment,"
                f" or give a default: ${{{match['name']}:-…}}",
            )
            unset = True
            return ""
        used[match["name"]] = value
        return value

    filled = _REFERENCE.sub(fill, text)
    whole = _REFERENCE.fullmatch(text)
    absent = not filled and not unset and whole is not None and whole["name"] is not None
    return replace(node, value=filled, variables=tuple(used.items()), unset=unset, absent=absent)
