"""Assesses a move to DocumentDB: code, logs, and what the connections of greylag.yaml hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.connectors.mongodb.connector import MongoConnector
from greylag.console.units import count, plural
from greylag.core.findings import Finding, Severity
from greylag.errors import ConfigurationError
from greylag.operations.assess.assess import look
from greylag.operations.assess.choose import connections
from greylag.operations.assess.documentdb.code.scan import scan
from greylag.operations.assess.documentdb.data import collection_findings, data_findings, holds
from greylag.operations.assess.documentdb.indexes import index_findings
from greylag.operations.assess.documentdb.logs import read_log
from greylag.operations.assess.documentdb.report import Judgement, Looked, judged
from greylag.operations.assess.documentdb.servers import server_findings
from greylag.operations.assess.records import reading_findings
from greylag.operations.assess.servers import change_findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greylag.config import Sources
    from greylag.core.profile import DatasetProfile
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.operations.assess.assess import AssessOptions
    from greylag.operations.assess.documentdb.release import Release


MONGODB: Final = "mongodb"
_NAME_THEM: Final = "Name them: `greylag assess --documentdb 5.0 CONNECTION`."


@dataclass(frozen=True, slots=True)
class Programs:
    """What is looked at beside data: folders of source code, and log files of mongod."""

    source_code: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.source_code or self.logs)


def assess_programs(release: Release, programs: Programs) -> Judgement:
    """Look at code and logs alone: no connection, no greylag.yaml. Raises ConfigurationError for what is not there."""
    started = time.monotonic()
    looked, findings = _programs(release, programs)
    return judged(release, looked, findings, time.monotonic() - started)


def assess_sources(
    sources: Sources,
    options: AssessOptions,
    release: Release,
    programs: Programs,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> Judgement:
    """Look at datasets, at the servers that hold them, and at `programs`. Raises as `assess` does, and
    ConfigurationError where a dataset is not MongoDB's.
    """
    started = time.monotonic()
    looked: list[Looked] = []
    findings: list[Finding] = []
    read: set[str] = set()
    for each in look(sources, options, executor=executor, observe=observe, holds=holds(release)):
        name, connection = str(each.chosen.source), each.chosen.source.connection
        read.add(connection)
        if (kind := sources.connection(connection).kind) != MONGODB:
            raise ConfigurationError(
                f"{name} is of kind {kind}: --documentdb looks at MongoDB's collections",
                advice=_NAME_THEM,
            )
        findings += each.unreadable
        if each.info is not None and each.inventory is not None and each.profile is not None:
            findings += change_findings(each.info, each.inventory, name=name)
            findings += collection_findings(each.inventory, release, name=name)
            findings += index_findings(each.inventory, release, name=name)
            findings += reading_findings(each.profile)
            findings += data_findings(each.profile, each.inventory, release, name=name)
            looked.append(Looked(name, _summary(each.profile)))
    servers: set[str] = set()
    for connection in connections(sources, only=options.only, named=options.named):
        connector = sources.connection(connection).connector
        if not isinstance(connector, MongoConnector):
            raise ConfigurationError(
                f"{connection} is not MongoDB: --documentdb looks at MongoDB's collections",
                advice=_NAME_THEM,
            )
        if connection not in read:
            findings.append(_nothing_there(connection, connector))
        hosts = connector.address.hosts
        findings += server_findings(connection, connector.address, release, known=hosts in servers)
        servers.add(hosts)
        looked.append(Looked(connection, "views, users, counters, profiler"))
    more, found = _programs(release, programs)
    return judged(release, looked + more, findings + found, time.monotonic() - started)


def _nothing_there(connection: str, connector: MongoConnector) -> Finding:
    return Finding(
        Severity.WARNING,
        "no-collections",
        connection,
        f"the database {connector.address.database} has no collection to carry",
        "Check `database:` of the connection, or the database in its url.",
    )


def _summary(profile: DatasetProfile) -> str:
    read = plural(profile.records_read, "document")
    return f"{read}, all" if profile.whole else f"{read} of about {count(profile.records_total or 0)}"


def _programs(release: Release, programs: Programs) -> tuple[list[Looked], list[Finding]]:
    looked: list[Looked] = []
    findings: list[Finding] = []
    for folder in programs.source_code:
        scanned = scan(folder, release)
        looked.append(Looked(str(folder), plural(scanned.files, "file")))
        findings += scanned.findings
    for file in programs.logs:
        read = read_log(file, release)
        looked.append(Looked(str(file), plural(read.lines, "line")))
        findings += read.findings
    return looked, findings
