"""What greylag.yaml should say: connections, services, flows, tables, keys and indexes, each with its reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from greylag.console.units import plural
from greylag.operations.init import indexes, keys, words
from greylag.operations.init.datafiles import SUFFIXES
from greylag.operations.init.services import Owner, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.init.datafiles import DataSet
    from greylag.operations.init.mongodb import Database
    from greylag.operations.init.sample import Sample
    from greylag.operations.init.survey import Survey

FILES = "files"
TARGET = "dynamo"


@dataclass(frozen=True, slots=True)
class Connection:
    """One source. `options` are its keys in greylag.yaml, `${VAR}` and all."""

    name: str
    options: dict[str, str]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """One dataset on its way to a table of its own; `every`: all datasets of a connection nobody could look at."""

    name: str
    owner: Owner
    source: str
    table: str
    key: keys.Key
    indexes: indexes.Indexes
    records: str
    every: bool = False

    @property
    def key_types(self) -> dict[str, str]:
        """The type of each attribute of key and indexes, where the sample tells it."""
        attributes = [self.key.attribute, *(one for each in self.indexes.found for one in each.attributes)]
        return {} if self.every else {each.name: each.type for each in attributes if each.type}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The whole file. `left` says, in sentences, what was found and is not in it."""

    project: str
    connections: tuple[Connection, ...]
    flows: tuple[Flow, ...]
    environments: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def services(self) -> dict[str, list[Flow]]:
        """The flows by service."""
        found: dict[str, list[Flow]] = {}
        for each in self.flows:
            found.setdefault(each.owner.service, []).append(each)
        return found

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "connections": [each.name for each in self.connections],
            "flows": [
                {
                    "flow": each.name,
                    "service": each.owner.service,
                    "from": each.source,
                    "to": each.table,
                    "key": {each.key.attribute.name: each.key.attribute.template},
                    "indexes": {
                        index.name: {one.name: one.template for one in index.attributes}
                        for index in each.indexes.found
                    },
                    "why": each.key.why,
                }
                for each in self.flows
            ],
            "left": list(self.left),
        }


def propose(survey: Survey) -> Proposal:
    """The file for what `survey` found."""
    return _Proposing(survey).proposal()


class _Proposing:
    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._services = Services(survey.project, survey.compose, survey.mentions)
        self._others = [each.short for each in survey.datasets] + [
            each.short for database in survey.databases for each in database.collections
        ]
        self._flows: list[Flow] = []
        self._connections: list[Connection] = []
        self._left: list[str] = []

    def proposal(self) -> Proposal:
        self._files()
        for database in self._survey.databases:
            self._database(database)
        environments = {each.environment for each in self._survey.env_files} - {None}
        return Proposal(
            self._survey.project,
            tuple(self._connections),
            tuple(sorted(self._flows, key=lambda each: (each.owner.service, each.name))),
            tuple(sorted(each for each in environments if each)),
            tuple(self._left),
        )

    def _files(self) -> None:
        datasets = self._survey.datasets
        if not datasets:
            return
        folder = (
            os.path.commonpath([PurePosixPath(each.file.name).parent.as_posix() for each in datasets]) or "."
        )
        why = ("JSON files. They have no log of changes: let nothing write them while they move.",)
        self._connections.append(Connection(FILES, {"kind": "json", "path": folder}, why))
        names = [each.file.name for each in self._survey.datasets]
        for each in datasets:
            inside = PurePosixPath(each.file.name).relative_to(folder).as_posix()
            dataset = _dataset(each, inside, names)
            self._flow(
                f"{FILES}.{dataset}",
                each.short,
                each.sample,
                self._services.of_file(each.file.name),
                file=True,
            )

    def _database(self, database: Database) -> None:
        several = len(self._survey.databases) > 1
        taken = {each.name for each in self._connections}
        name = words.unused(words.name(f"mongo-{database.name}" if several else "mongo"), taken)
        reference = (
            f"${{{database.variable}:-{database.default}}}"
            if database.default
            else f"${{{database.variable}}}"
        )
        options = {"kind": "mongodb", "url": reference, "database": database.name}
        self._connections.append(Connection(name, options, tuple(_why(database))))
        if database.failure:
            self._every(name, database)
            return
        for each in database.collections:
            if not each.sample.readable:
                self._left.append(f"collection {database.name}.{each.name} is empty: nothing to carry")
                continue
            owner = self._services.of_collection(database, each.name)
            self._flow(f"{name}.{each.name}", each.short, each.sample, owner, file=False)

    def _flow(self, source: str, short: str, sample: Sample, owner: Owner, *, file: bool) -> None:
        taken = {each.name for each in self._flows}
        name = words.name(short)
        if name in taken:
            name = words.unused(words.name(f"{owner.service}-{short}"), taken)
        key = keys.choose(sample, short, file=file)
        found = indexes.choose(sample, key, others=self._others, short=short)
        table = words.unused(
            words.table(f"{self._survey.project}-{name}"), {each.table for each in self._flows}
        )
        self._flows.append(Flow(name, owner, source, f"{TARGET}.{table}", key, found, _records(sample)))

    def _every(self, connection: str, database: Database) -> None:
        """The flow for a database that could not be looked at: whatever it holds, each collection to its own table.

        Only for one of them: `dynamo.*` has one writer, since two collections of one name would share a table.
        """
        if any(each.every for each in self._flows):
            self._left.append(
                f"database {database.name} could not be looked at ({database.failure}): no flow reads it yet. CHECK:"
                f" set {database.variable}, move this file away and run `greylag init` again"
            )
            return
        own = self._services.of_collection(database, "")
        name = words.unused(words.name(database.name), {each.name for each in self._flows})
        key = keys.Key(keys.Attribute("_id", "{_id}", ""), "`_id` is what MongoDB keeps unique.")
        mentioned = sorted({each.collection for each in self._survey.mentions})
        seen = f"; code names {', '.join(mentioned)}" if mentioned else ""
        records = f"Not looked at: {database.failure}. So every collection goes to a table of its name{seen}."
        self._flows.append(
            Flow(name, own, f"{connection}.*", f"{TARGET}.*", key, indexes.Indexes(), records, every=True)
        )


def _dataset(each: DataSet, inside: str, names: Sequence[str]) -> str:
    """How `from:` names a dataset of the folder that `inside` starts at."""
    if each.pointer:
        return f"{inside}#{each.pointer}"
    alone = sum(each.stem + suffix in names for suffix in SUFFIXES) == 1
    return inside.removesuffix(each.file.name.removeprefix(each.stem)) if alone else inside


def _records(sample: Sample) -> str:
    profile = sample.profile
    if profile.whole:
        return f"{plural(profile.records_read, 'record')}, all of them read."
    of = f" of about {profile.records_total:,}" if profile.records_total else ""
    return f"{profile.records_read:,} records{of} read: what follows holds for those."


def _why(database: Database) -> list[str]:
    places = list(dict.fromkeys(f"{each.place} ({each.how})" for each in database.settings))
    shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    why = [f"MongoDB, named in {shown}."] if places else ["MongoDB."]
    if not database.named:
        why.append(f"Nothing says which database: `{database.name}` is a guess. CHECK it.")
    if database.outside:
        why.append(f"{database.outside}: {database.variable} is for greylag alone.")
    if database.default:
        secret = ", with user and password" if database.credentials else ""
        why.append(
            f"CHECK: {database.variable} is not in .env beside this file. Put the address{secret} there, never here;"
            " until then the one after :- is taken."
        )
    why.append(
        "Changes made during the load are not followed in this version: freeze writes before `greylag run`."
    )
    return why
