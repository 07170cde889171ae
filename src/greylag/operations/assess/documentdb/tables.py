"""The compatibility tables: what each release of DocumentDB takes, and what to do about what it does not take.

The data stands in the TOML files beside this one, each with its sources and the day they were read.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from greylag.operations.assess.documentdb.release import ELASTIC, Release

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final = ("3.6", "4.0", "5.0", "8.0", ELASTIC)
STAGE: Final = "stages"
ACCUMULATOR: Final = "accumulators"
_SETS: Final = ("types", "indexes", "index_options", "collections", "authentication", "retryable_writes")


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a command, a call or an option asks for. `cursor` are calls that count on a cursor alone, `words` are
    constants that name it.
    """

    name: str
    releases: str
    do: str
    commands: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    cursor: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    group: bool = False

    def shown(self, written: str) -> str:
        """What to call it: a `group` holds commands that have nothing else in common."""
        if self.group:
            return f"command {written}"
        return written if written == self.name else f"{self.name} ({written})"


@dataclass(frozen=True, slots=True)
class Deprecated:
    """A call that drivers no longer have: `calls` on a collection, `anywhere` as any name, `text` as a whole string.
    `language` are the families it concerns, empty for all.
    """

    do: str
    calls: frozenset[str] = frozenset()
    anywhere: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()
    language: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table was taken from, in which state, and when."""

    what: str
    address: str
    state: str
    read: str


@dataclass(frozen=True)
class Tables:
    """All tables. `releases` holds a letter a column: y, n, or p for partly."""

    operators: Mapping[str, str]
    as_stage: Mapping[str, str]
    as_accumulator: Mapping[str, str]
    advice: Mapping[tuple[str, str], str]
    features: tuple[Feature, ...]
    deprecated: tuple[Deprecated, ...]
    sets: Mapping[str, Mapping[str, str]]
    roles: frozenset[str]
    limits: Mapping[str, int]
    elastic_limits: Mapping[str, int]
    sources: tuple[Source, ...] = field(default=())

    def operator(self, name: str, *, used_as: str = "") -> str:
        """The letters of an operator; empty for a name MongoDB does not have."""
        if used_as == STAGE and name in self.as_stage:
            return self.as_stage[name]
        if used_as == ACCUMULATOR and name in self.as_accumulator:
            return self.as_accumulator[name]
        return self.operators.get(name, "")

    def operator_advice(self, name: str, *, used_as: str = "") -> str:
        """What to do about an operator that is not there."""
        do = self.advice.get((name, used_as)) or self.advice.get((name, ""), "")
        return " ".join(filter(None, (since(self.operator(name, used_as=used_as)), do))) or (
            "Compute it in the application."
        )

    def limit(self, name: str, release: Release) -> int:
        """A limit by its name in features.toml."""
        return self.elastic_limits.get(name, self.limits[name]) if release.elastic else self.limits[name]

    def takes(self, kind: str, name: str, release: Release) -> bool:
        """Whether the release takes `name` of the table `kind` of features.toml; what is in no table it takes."""
        return supported(self.sets[kind].get(name, "yyyyy"), release)


def supported(releases: str, release: Release) -> bool:
    """Whether `releases` has more than a no for `release`."""
    return releases[COLUMNS.index(release.column)] != "n"


def partly(releases: str, release: Release) -> bool:
    """Whether `releases` says partly for `release`."""
    return releases[COLUMNS.index(release.column)] == "p"


def since(releases: str) -> str:
    """From which version on instance-based clusters have it, as a sentence; empty for none, or all of them."""
    has = [version for version, letter in zip(COLUMNS[:-1], releases, strict=False) if letter == "y"]
    if not has:
        return ""
    if len(has) == len(COLUMNS) - 1:
        return "Instance-based clusters have it."
    return f"Instance-based clusters have it from {has[0]} on."


@cache
def tables() -> Tables:
    """What the files hold."""
    operators, commands, features = (_read(f"{name}.toml") for name in ("operators", "commands", "features"))
    return Tables(
        operators=_letters(operators["operators"]),
        as_stage=_letters(operators[STAGE]),
        as_accumulator=_letters(operators[ACCUMULATOR]),
        advice={
            (name, each.get("as", "")): each["do"] for each in operators["advice"] for name in each["names"]
        },
        features=tuple(Feature(**_frozen(each)) for each in commands["features"]),
        deprecated=tuple(Deprecated(**_frozen(each)) for each in commands["deprecated"]),
        sets={name: features[name] for name in _SETS},
        roles=frozenset(features["roles"]["built_in"]),
        limits=features["limits"],
        elastic_limits=features["limits_elastic"],
        sources=_sources(operators, commands, features),
    )


def _sources(*files: Mapping[str, Any]) -> tuple[Source, ...]:
    found = {
        each["address"]: Source(each["what"], each["address"], each["state"], each["read"].isoformat())
        for file in files
        for each in file["source"]
    }
    return tuple(found.values())


def _read(name: str) -> dict[str, Any]:
    read = tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
    assert tuple(read["columns"]) == COLUMNS
    return read


def _letters(groups: list[dict[str, Any]]) -> dict[str, str]:
    return {name: each["releases"] for each in groups for name in each["names"]}


def _frozen(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: frozenset(each) if isinstance(each, list) else each for name, each in told.items()}
