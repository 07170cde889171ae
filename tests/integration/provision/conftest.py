from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.command import Command
from tests.integration.provision.project import Servers, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def servers(dynamodb_endpoint: str, s3_endpoint: str, moto_endpoint: str) -> Servers:
    return Servers(dynamodb_endpoint, s3_endpoint, moto_endpoint)


@pytest.fixture
def name(servers: Servers) -> Iterator[str]:
    """The project's name, with which all that it makes begins."""
    name = f"p{uuid.uuid4().hex[:10]}"
    yield name
    servers.clean(name)


@pytest.fixture
def greylag(tmp_path: Path, servers: Servers, name: str) -> Command:
    """The command in the folder of the project."""
    write(tmp_path, name)
    return Command(tmp_path, servers.environment)
