"""Settings in code of any language: addresses, environment variables, clients that are made, names of collections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding
from greylag.operations.init import settings, stores
from greylag.operations.init.folder import text_of
from greylag.operations.init.settings import Place, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.init.folder import FoundFile

MAX_BYTES: Final = 500_000
MAX_LINE: Final = 2_000
"""A longer line is a machine's."""

SUFFIXES: Final = frozenset(
    {
        *(
            ".py",
            ".js",
            ".mjs",
            ".cjs",
            ".ts",
            ".jsx",
            ".tsx",
            ".go",
            ".java",
            ".kt",
            ".scala",
            ".rb",
            ".php",
        ),
        *(".cs", ".rs", ".ex", ".exs", ".toml", ".ini", ".cfg", ".properties"),
    }
)

_READ = re.compile(
    r"""process\.env\.(?P<node>[A-Za-z_]\w*)|process\.env\[\s*["'](?P<node2>\w+)["']
    |(?:os\.environ(?:\.get)?|os\.getenv|os\.Getenv|os\.LookupEnv|System\.getenv|getenv|ENV(?:\.fetch)?|env|getEnv
      |Environment\.GetEnvironmentVariable|config|\w*[eE]nv\w*)\s*[\(\[]\s*["'](?P<call>[A-Z][A-Z0-9_]+)["']""",
    re.VERBOSE | re.ASCII,
)
_QUOTED = re.compile(r"""(?P<quote>["'`])(?P<text>mongodb(?:\+srv)?://[^"'`\s]*)(?P=quote)""")
_COLLECTION = re.compile(
    r"""\.(?:get_?)?collection(?:<[\w.]+>)?\(\s*["'`](?P<name>[\w.-]+)["'`]|\bmongoose\.model\(\s*["'`](?P<model>\w+)["'`]
    |\bdb\[\s*["'](?P<item>[\w.-]+)["']\s*\]""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A collection that code names. A mongoose model is named as its class is: `Product` for `products`."""

    collection: str
    place: Place


@dataclass(frozen=True, slots=True)
class CodeFile:
    """What one file of code says of stores."""

    settings: tuple[Setting, ...]
    mentions: tuple[Mention, ...]


def is_code(file: FoundFile) -> bool:
    """Whether it is read for settings."""
    return PurePosixPath(file.name).suffix in SUFFIXES and not file.for_tests


def read_code(file: FoundFile) -> CodeFile | Finding:
    """What `file` says, or why it was not read."""
    text = text_of(file, limit_bytes=MAX_BYTES)
    if isinstance(text, Finding):
        return text
    found: list[Setting] = []
    mentions: list[Mention] = []
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) <= MAX_LINE:
            place = Place(file.name, number)
            found += _settings(line, place)
            mentions += [
                Mention(match["name"] or match["model"] or match["item"], place)
                for match in _COLLECTION.finditer(line)
            ]
    return CodeFile(tuple(found), tuple(mentions))


def _settings(line: str, place: Place) -> Iterator[Setting]:
    """Variables that are read, with the address that stands beside one as its default; then clients and addresses."""
    quoted = _QUOTED.search(line)
    told = set()
    for match in _READ.finditer(line):
        name = match["node"] or match["node2"] or match["call"]
        setting = settings.of_variable(name, quoted["text"] if quoted else "", place)
        if setting is not None:
            told.add(setting.kind)
            yield setting
    for kind in stores.of_code(line):
        if kind not in told:
            value = quoted["text"] if quoted and kind == stores.MONGODB else ""
            how = (
                f"{stores.title_of(kind)} address" if value else f"{stores.title_of(kind)} client or address"
            )
            yield Setting(kind, place, how, value=value)
