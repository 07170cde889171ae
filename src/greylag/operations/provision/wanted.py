"""What a project needs, as things to be made, each with who makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greylag.connectors.dynamodb.options import DynamoDBOptions
from greylag.core import naming
from greylag.core.flows import DatasetRef, TableSpec
from greylag.errors import ConfigurationError, SchemaError
from greylag.operations.prepare import prepare
from greylag.operations.provision.aws import Account
from greylag.operations.provision.buckets import Buckets
from greylag.operations.provision.queues import Queues
from greylag.operations.provision.tables import Tables
from greylag.operations.provision.things import Bucket, Queue, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

    from greylag.config import Project
    from greylag.core.services import ServiceSpec
    from greylag.operations.provision.makers import Maker
    from greylag.operations.provision.things import Thing

KIND = "dynamodb"
_BUCKET_NAME = range(3, 64)
_QUEUE_NAME = range(1, 81)
"""Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing and who makes it."""

    thing: Thing
    maker: Maker


class Makers:
    """Every maker the project's connections and `infrastructure:` lead to, each made when it is first asked for."""

    def __init__(self, project: Project, stack: ExitStack) -> None:
        self._project = project
        self._stack = stack
        self._tables: dict[str, Tables] = {}
        self._accounts: dict[tuple[str | None, str | None], Account] = {}
        self._others: dict[str, Maker] = {}

    @property
    def connections(self) -> dict[str, DynamoDBOptions]:
        """The connections of kind dynamodb, in the file's order."""
        return {name: each.options for name, each in self._project.connections.items() if each.kind == KIND}

    def tables(self, connection: str) -> Tables:
        """Those of one connection; the empty name is that of boto3's own endpoint."""
        if connection not in self._tables:
            options = self.connections.get(connection) or DynamoDBOptions(region=self._region())
            made = Tables(connection, options, self._account(options.profile, options.region))
            self._stack.callback(made.close)
            self._tables[connection] = made
        return self._tables[connection]

    @property
    def account(self) -> Account:
        """Where buckets and queues are made: with the region of `infrastructure:`, and the profile of the first
        DynamoDB connection.
        """
        first = next(iter(self.connections.values()), None)
        return self._account(first.profile if first is not None else None, self._region())

    @property
    def buckets(self) -> Maker:
        """S3."""
        return self._other("bucket", Buckets)

    @property
    def queues(self) -> Maker:
        """SQS."""
        return self._other("queue", Queues)

    def _other(self, kind: str, make: Callable[[Account], Maker]) -> Maker:
        if kind not in self._others:
            self._others[kind] = make(self.account)
        return self._others[kind]

    def _region(self) -> str | None:
        infrastructure = self._project.infrastructure
        if infrastructure is not None and infrastructure.region:
            return infrastructure.region
        return next((each.region for each in self.connections.values()), None)

    def _account(self, profile: str | None, region: str | None) -> Account:
        if (profile, region) not in self._accounts:
            account = Account(profile, region)
            self._stack.callback(account.close)
            self._accounts[profile, region] = account
        return self._accounts[profile, region]


def wanted(project: Project, only: Sequence[str], makers: Makers) -> list[Wanted]:
    """Everything the project, or its part that `only` names, needs: what others refer to comes first.

    Raises ConfigurationError for a name that AWS would refuse or that two things have, and what `prepare` raises.
    """
    found: list[Wanted] = [*_tables(project, only, makers)]
    for service in project.service_specs.values():
        if not only or service.name in only:
            found += _of_service(project, service, makers)
    seen: dict[tuple[str, str, str], Thing] = {}
    for each in found:
        key = (each.maker.kind, each.maker.place, each.thing.name)
        if key in seen:
            raise ConfigurationError(
                f"{each.thing.what} {each.thing.name} would be made twice: for {', '.join(seen[key].owners)} and for"
                f" {', '.join(each.thing.owners)}",
                advice="Give one of the services another name, or its bucket: they differ in more than punctuation.",
            )
        seen[key] = each.thing
    return found


def _tables(project: Project, only: Sequence[str], makers: Makers) -> Iterator[Wanted]:
    stream = project.infrastructure is not None
    looked = prepare(project, only=only, look=True)
    owners: dict[str, list[str]] = {}
    for route in looked.siblings:
        owners.setdefault(str(route.flow.table.ref), []).extend((route.flow.service, route.name))
    for each in looked.tables:
        spec = each.spec
        if spec.ref.connection not in makers.connections:
            continue
        if each.differences:
            raise _differs(spec, each.differences)
        yield Wanted(
            Table(spec, stream, tuple(dict.fromkeys(owners.get(str(spec.ref), ())))),
            makers.tables(spec.ref.connection),
        )
    if only:
        return
    carried = {each.spec.ref for each in looked.tables}
    for ref, spec in project.tables.items():
        if ref in carried or ref.connection not in makers.connections:
            continue
        names = dict.fromkeys([*spec.key, *(name for keys in spec.indexes.values() for name in keys)])
        open_keys = [name for name in names if name not in spec.key_types]
        if open_keys:
            raise ConfigurationError(
                f"table {ref}: no flow writes it, and nothing tells the type of {', '.join(open_keys)}",
                advice=f"Add `key_types: {{{open_keys[0]}: S}}` (or N, or B) to the table.",
            )
        maker = makers.tables(ref.connection)
        if found := maker.differences(spec):
            raise _differs(spec, found)
        yield Wanted(Table(spec, stream, ()), maker)


def _differs(spec: TableSpec, found: Sequence[str]) -> SchemaError:
    return SchemaError(
        f"table {spec.ref} is there and is not as greylag.yaml says: " + "; ".join(found),
        advice="Change greylag.yaml to the table as it stands, add missing indexes, or write to a new table.",
    )


def _of_service(project: Project, service: ServiceSpec, makers: Makers) -> Iterator[Wanted]:
    name, environment, owners = project.name, project.environment, (service.name,)
    if service.cache is not None and service.cache.engine == "dynamodb":
        connection = next(iter(makers.connections), "")
        table = naming.cache_table(name, environment, service.name)
        spec = TableSpec(DatasetRef(connection, table), ("key",), {}, {"key": "S"}, "expires")
        maker = makers.tables(connection)
        if found := maker.differences(spec):
            raise _differs(spec, found)
        yield Wanted(Table(spec, stream=False, owners=owners, cache=True), maker)
    if service.assets is not None:
        account = makers.account.number if service.assets.bucket is None else ""
        bucket = naming.bucket(name, environment, service.name, service.assets.bucket, account)
        _refuse_long("bucket", bucket, _BUCKET_NAME)
        yield Wanted(Bucket(bucket, service.assets, owners), makers.buckets)
    if service.queue is not None:
        fifo = service.queue.fifo
        own = naming.queue(name, environment, service.name, fifo=fifo)
        dead = naming.queue(name, environment, service.name, fifo=fifo, dead_letters=True)
        _refuse_long("queue", dead, _QUEUE_NAME)
        queue = Queue(own, service.queue, owners, dead_letters=dead)
        yield Wanted(replace(queue, name=dead, dead_letters="", source=own), makers.queues)
        yield Wanted(queue, makers.queues)


def _refuse_long(what: str, name: str, lengths: range) -> None:
    if len(name) not in lengths:
        raise ConfigurationError(
            f"{what} {name}: a name of {lengths[0]} to {lengths[-1]} characters is taken, this has {len(name)}",
            advice="Give the project, the service or the bucket a shorter name.",
        )
