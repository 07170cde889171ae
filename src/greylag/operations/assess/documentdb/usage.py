"""Operators and features in commands that a server was sent, as its profiler and its log keep them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from greylag.console.units import plural
from greylag.core.findings import Finding, Severity
from greylag.operations.assess.documentdb.code.scan import feature_finding
from greylag.operations.assess.documentdb.tables import ACCUMULATOR, STAGE, supported, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.operations.assess.documentdb.release import Release

_PIPELINES: Final = frozenset({"pipeline", "whenMatched"})
_UPDATES: Final = frozenset({"u", "update", "updateobj"})
_DATA: Final = frozenset(
    {"documents", "let", "$db", "$clusterTime", "lsid", "$readPreference", "$client", "$audit"}
)
_NO_PROGRAMS: Final = frozenset(
    {"getLastError", "getlasterror", "connPoolStats", "features", "replSetInitiate", "fsync", "rolesInfo"}
)
"""Commands that drivers, monitors and whoever set the server up send."""
_LOWERED: Final = {"mapreduce": "mapReduce", "findandmodify": "findAndModify", "getlasterror": "getLastError"}


@dataclass
class Usage:
    """What commands used: operators with what they were used as, and features, each with how often and one example of
    where.
    """

    operators: Counter[tuple[str, str]] = field(default_factory=Counter)
    features: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    entries: int = 0

    def add(self, command: Mapping[str, Any], where: str) -> None:
        """Count what one command used; `where` is its collection."""
        self.entries += 1
        known = tables()
        first = next(iter(command), "")
        if first in _NO_PROGRAMS:
            return
        for feature in known.features:
            names = {first, _LOWERED.get(first, first)}
            fields = feature.options | (feature.cursor if first == "find" else frozenset())
            asked = [each for each in command if each in fields and _is_on(command[each])]
            if names & feature.commands or (asked and first != "insert"):
                self._feature((feature.name, first if feature.group else feature.name), where)
        for name, used_as in _operators(command):
            self.operator(name, used_as, where)

    def operator(self, name: str, used_as: str, where: str, times: int = 1) -> None:
        """Count an operator, if it is one."""
        if name in tables().operators:
            self.operators[name, used_as] += times
            self.examples.setdefault(name, where)

    def command(self, name: str, times: int) -> None:
        """Count a command of which nothing but its name is known."""
        if name in _NO_PROGRAMS:
            return
        for feature in tables().features:
            if name in feature.commands:
                key = (feature.name, name if feature.group else feature.name)
                self.features[key] += times
                self.examples.setdefault(key[1], "")

    def _feature(self, name: tuple[str, str], where: str) -> None:
        self.features[name] += 1
        self.examples.setdefault(name[1], where)

    def findings(self, release: Release, *, seen: str, file: str = "") -> Iterator[Finding]:
        """What of it the release does not have. `seen` says where it was seen."""
        known = tables()
        for (name, used_as), times in sorted(self.operators.items()):
            if not supported(known.operator(name, used_as=used_as), release):
                what = {STAGE: " as a stage", ACCUMULATOR: " as an accumulator"}.get(used_as, "")
                where = f", on {self.examples[name]}" if self.examples[name] else ""
                yield Finding(
                    Severity.BLOCKER,
                    "operator-in-use",
                    name,
                    f"{release} has no {name}{what}: seen {plural(times, 'time')} in {seen}{where}",
                    known.operator_advice(name, used_as=used_as),
                    file,
                )
        by_name = {each.name: each for each in known.features}
        for (name, written), times in sorted(self.features.items()):
            where = f", on {self.examples[written]}" if self.examples[written] else ""
            told = f": seen {plural(times, 'time')} in {seen}{where}"
            yield from feature_finding(by_name[name], written, release, file=file, seen=told)


def _is_on(value: Any) -> bool:
    return value not in (None, False, 0, {}) and value != {"locale": "simple"}


def _operators(command: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in command.items():
        if key in _DATA:
            continue
        if key in _PIPELINES or (key in _UPDATES and isinstance(value, list)):
            yield from _pipeline(value)
        else:
            yield from _within(value)


def _pipeline(stages: Any) -> Iterator[tuple[str, str]]:
    for stage in stages if isinstance(stages, list) else ():
        if not isinstance(stage, dict):
            continue
        for name, value in stage.items():
            yield name, STAGE if name in tables().as_stage else ""
            if name == "$facet" and isinstance(value, dict):
                for each in value.values():
                    yield from _pipeline(each)
            elif name == "$group" and isinstance(value, dict):
                for each in value.values():
                    yield from _within(each, accumulator=True)
            else:
                yield from _within(value)


def _within(value: Any, *, accumulator: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key.startswith("$"):
                yield key, ACCUMULATOR if accumulator and key in tables().as_accumulator else ""
            if key in _PIPELINES or (key in _UPDATES and isinstance(each, list)):
                yield from _pipeline(each)
            elif key != "$literal":
                yield from _within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _within(each)
    elif isinstance(value, str) and value.startswith("$$"):
        yield value.partition(".")[0], ""
