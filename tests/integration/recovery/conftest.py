"""A project with one table of items of every type, on DynamoDB Local."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from greylag.config import load
from greylag.operations.backup import BackupOptions, backup
from greylag.operations.restore import RestoreOptions, restore
from tests.command import Command
from tests.inline import Inline
from tests.integration.recovery.items import YAML, fill, make_table

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.config import Project
    from greylag.operations.backup import BackupReport
    from greylag.operations.restore import RestoreReport

ITEMS = 400


@dataclass(frozen=True)
class Recovery:
    """The operations, called in this process: a command of its own costs a second and a half."""

    folder: Path

    @property
    def project(self) -> Project:
        return load(self.folder / "greylag.yaml", environ={})

    def backup(self, to: str = "backups", *names: str, **options: Any) -> BackupReport:
        asked = BackupOptions(to, names, **{"part_bytes": 40_000, **options})
        return backup(self.project, asked, executor=Inline(), observe=lambda _: None)

    def restore(self, place: str = "backups", **options: Any) -> RestoreReport:
        return restore(
            self.project, RestoreOptions(place, **options), executor=Inline(), observe=lambda _: None
        )


@pytest.fixture
def recovery(greylag: Command) -> Recovery:
    return Recovery(greylag.folder)


@pytest.fixture
def table(dynamodb_endpoint: str, table_prefix: str) -> str:
    name = f"{table_prefix}items"
    make_table(dynamodb_endpoint, name)
    fill(dynamodb_endpoint, name, ITEMS)
    return name


@pytest.fixture
def greylag(tmp_path: Path, dynamodb_endpoint: str, table: str) -> Command:
    command = Command(tmp_path)
    command.write(YAML.format(endpoint=dynamodb_endpoint, table=table))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.json").write_text('[{"id": 1}]\n')
    return command
