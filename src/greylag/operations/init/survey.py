"""Everything `init` finds in a folder, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from greylag.config import read_variables
from greylag.core.findings import Finding, by_severity
from greylag.errors import ConfigurationError
from greylag.operations.init import code, compose, datafiles, envfiles, mongodb, settings, stores, words
from greylag.operations.init.folder import text_of, walk
from greylag.operations.init.settings import Place, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from greylag.operations.init.code import Mention
    from greylag.operations.init.compose import ComposeService
    from greylag.operations.init.datafiles import DataSet
    from greylag.operations.init.envfiles import EnvFile
    from greylag.operations.init.folder import Folder, FoundFile
    from greylag.operations.init.mongodb import Database

MAX_ENV_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. Values of variables are in no repr and in no report."""

    root: Path
    project: str
    compose: tuple[ComposeService, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    settings: tuple[Setting, ...] = ()
    mentions: tuple[Mention, ...] = ()
    datasets: tuple[DataSet, ...] = ()
    databases: tuple[Database, ...] = ()
    objects: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def in_file(self) -> frozenset[str]:
        """The variables that `.env` beside greylag.yaml sets."""
        return frozenset(name for each in self.env_files if each.name == ".env" for name in each.variables)

    @property
    def empty(self) -> bool:
        """Whether nothing was found that a greylag.yaml could speak of."""
        return not (self.compose or self.settings or self.datasets or self.databases)

    def not_carried(self) -> dict[str, tuple[Setting, ...]]:
        """The settings of each kind of store that this version does not move, by the kind's title."""
        kinds: dict[str, list[Setting]] = {}
        for each in self.settings:
            if each.kind != stores.MONGODB:
                kinds.setdefault(stores.title_of(each.kind), []).append(each)
        return {title: tuple(found) for title, found in kinds.items()}

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "project": self.project,
            "compose": [each.as_json() for each in self.compose],
            "environment_files": [each.as_json() for each in self.env_files],
            "settings": [each.as_json() for each in self.settings],
            "datasets": [each.as_json() for each in self.datasets],
            "databases": [each.as_json() for each in self.databases],
            "not_carried": sorted(self.not_carried()),
            "objects_on_disk": dict(self.objects),
            "findings": [each.as_json() for each in self.findings],
        }


def survey(root: Path, *, environment: str | None, asked: str | None, connect: bool) -> Survey:
    """Look at `root`. `asked` names a variable that holds the address of a MongoDB; `connect`: may it be reached.

    Raises ConfigurationError where `root` is no folder that can be read, or `asked` is not set.
    """
    if not root.is_dir():
        raise ConfigurationError(f"{root} is not a folder", advice="Name the application's folder.")
    folder = walk(root)
    if not folder.files and folder.findings:
        raise ConfigurationError(
            folder.findings[0].message, advice="Give the user that runs greylag permission to read it."
        )
    findings = list(folder.findings)
    env_files = tuple(_env_files(folder.files, findings))
    in_file = next((each.variables for each in env_files if each.name == ".env"), {})
    variables, _ = read_variables(root, environment)
    files = tuple(_compose(folder.files, findings))
    services = tuple(each for file in files for each in file.services)
    found = [*_of_compose(services, {each.name: each for each in env_files}, in_file), *_of_env(env_files)]
    mentions: list[Mention] = []
    for each in _code(folder, findings):
        found += each.settings
        mentions += each.mentions
    if asked is not None:
        if not variables.get(asked):
            raise ConfigurationError(
                f"the variable {asked} is not set", advice="Set it in .env or the environment."
            )
        found.insert(0, Setting(stores.MONGODB, Place("--mongodb"), f"variable {asked}", variable=asked))
    named = next((each.name for each in files if each.name), None)
    project = words.name(named or root.resolve().name, otherwise="project")
    datasets, passed = datafiles.find(folder)
    databases, unreached = mongodb.find(
        found, services, variables, in_file=in_file, project=project, connect=connect
    )
    return Survey(
        root,
        project,
        services,
        env_files,
        tuple(_once(found)),
        tuple(mentions),
        datasets,
        databases,
        dict(folder.objects().most_common()),
        by_severity([*findings, *passed, *unreached]),
    )


def _env_files(files: Iterable[FoundFile], findings: list[Finding]) -> Iterator[EnvFile]:
    for file in files:
        if not envfiles.is_env_file(file) or file.for_tests:
            continue
        text = text_of(file, limit_bytes=MAX_ENV_BYTES)
        if isinstance(text, Finding):
            findings.append(text)
            continue
        read, problems = envfiles.read_env_file(file)
        findings += problems
        yield read


def _compose(files: Iterable[FoundFile], findings: list[Finding]) -> Iterator[compose.ComposeFile]:
    for file in files:
        if compose.is_compose(file) and not file.for_tests:
            read = compose.read_compose(file)
            if isinstance(read, Finding):
                findings.append(read)
            else:
                yield read


def _code(folder: Folder, findings: list[Finding]) -> Iterator[code.CodeFile]:
    for file in folder.files:
        if code.is_code(file):
            read = code.read_code(file)
            if isinstance(read, Finding):
                findings.append(read)
            else:
                yield read


def _of_compose(
    services: Iterable[ComposeService], env_files: Mapping[str, EnvFile], in_file: Mapping[str, str]
) -> Iterator[Setting]:
    for service in services:
        kind = service.store
        if kind is not None:
            yield Setting(kind, service.place, f"image {words.line(service.image)}", service.name)
            continue
        if not service.own:
            continue
        beside = (PurePosixPath(service.place.file).parent / ".env").as_posix()
        known = env_files[beside].variables if beside in env_files else in_file
        database = settings.database_named(
            {
                name: compose.interpolate(each.value or "", known) or ""
                for name, each in service.environment.items()
            }
        )
        for name, variable in service.environment.items():
            written = variable.value or ""
            value = compose.interpolate(written, known)
            alone = compose.variable_of(written)
            if variable.value is None:
                alone, value = name, known.get(name, "")
            setting = settings.of_variable(
                name, value or written, variable.place, service=service.name, variable=alone
            )
            if setting is not None:
                yield replace(setting, value="" if value is None else setting.value, database=database or "")
        for env_file in service.env_files:
            read = env_files.get(env_file)
            for name, text in read.variables.items() if read else ():
                setting = settings.of_variable(name, text, Place(env_file), service=service.name)
                if setting is not None:
                    yield setting


def _of_env(env_files: Iterable[EnvFile]) -> Iterator[Setting]:
    """What environment files set; examples last, since they hold made-up values."""
    for each in sorted(env_files, key=lambda each: (each.example, each.name != ".env")):
        for name, value in each.variables.items():
            setting = settings.of_variable(name, "" if each.example else value, Place(each.name))
            if setting is not None:
                yield setting


def _once(found: Sequence[Setting]) -> list[Setting]:
    """Settings that say the same of the same line once."""
    first: dict[tuple[str, Place, str], Setting] = {}
    for each in found:
        first.setdefault((each.kind, each.place, each.how), each)
    return list(first.values())
