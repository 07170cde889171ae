"""What can be provisioned: tables, buckets and queues, each whole before anything is asked of AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from greylag.core.flows import TableSpec
    from greylag.core.services import AssetsSpec, QueueSpec


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table with the type of each key. `owners` are the services and flows that `--only` may name."""

    spec: TableSpec
    stream: bool
    owners: tuple[str, ...]
    cache: bool = False

    @property
    def name(self) -> str:
        """As AWS knows it."""
        return self.spec.ref.dataset

    @property
    def what(self) -> str:
        """In words."""
        return "cache table" if self.cache else "table"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A private S3 bucket."""

    name: str
    spec: AssetsSpec
    owners: tuple[str, ...]

    @property
    def what(self) -> str:
        """In words."""
        return "bucket"


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue. `dead_letters` names the queue its failures go to; on that queue, `source` names this one."""

    name: str
    spec: QueueSpec
    owners: tuple[str, ...]
    dead_letters: str = ""
    source: str = ""

    @property
    def what(self) -> str:
        """In words."""
        return "queue of dead letters" if self.source else "queue"


Thing: TypeAlias = Table | Bucket | Queue
