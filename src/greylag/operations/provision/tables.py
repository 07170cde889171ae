"""DynamoDB tables, those of caches too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.schema import Schema
from greylag.connectors.dynamodb.session import Session
from greylag.core.tables import differences
from greylag.errors import TransientError
from greylag.operations.provision.aws import Unsupported, asking, code_of, is_aws, is_billed
from greylag.operations.provision.makers import Found, Look, Setting, server_time
from greylag.operations.provision.things import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.connectors.dynamodb.options import DynamoDBOptions
    from greylag.core.flows import TableSpec
    from greylag.operations.provision.aws import Account
    from greylag.operations.provision.things import Thing

_STREAM = "NEW_AND_OLD_IMAGES"
"""What following changes back to the old store needs."""

_POLL_SECONDS = 0.25


class Tables:
    """See `makers.Maker`. The tables of one connection; what they are is the connector's own schema."""

    kind = "table"
    tags_at_creation = True

    def __init__(self, connection: str, options: DynamoDBOptions, account: Account) -> None:
        self._options = options.model_copy(update={"create_tables": True})
        self._session = Session(connection, self._options)
        self._schema = Schema(self._session)
        self._client = self._session.client()
        self._url = str(self._client.meta.endpoint_url)
        self.is_aws = is_aws(self._url)
        self.billed = is_billed(self._url)
        self.place = account.place(self._url)

    def look(self, name: str) -> Look:
        """See `makers.Maker.look`."""
        try:
            told = self._client.describe_table(TableName=name)["Table"]
        except (BotoCoreError, ClientError) as error:
            if code_of(error) == "ResourceNotFoundException":
                return Look(None, server_time(error))
            with asking(f"looking at table {name}", self._session.region):
                raise
        made = told["CreationDateTime"].timestamp()
        identity = told.get("TableId") or f"{told['TableArn']}@{made}"
        return Look(Found(identity, made, self._tags(told["TableArn"], name)))

    def _tags(self, arn: str, name: str) -> dict[str, str] | None:
        found: dict[str, str] = {}
        page: dict[str, Any] = {}
        try:
            while True:
                with asking(f"reading the tags of table {name}", self._session.region):
                    told = self._client.list_tags_of_resource(ResourceArn=arn, **page)
                found |= {each["Key"]: each["Value"] for each in told.get("Tags", ())}
                if not told.get("NextToken"):
                    return found
                page = {"NextToken": told["NextToken"]}
        except Unsupported:
            return None

    def differences(self, spec: TableSpec) -> list[str]:
        """In what the table as it stands is not as `spec` says; empty where there is none."""
        info = self._schema.describe(spec.ref.dataset)
        return differences(spec, info) if info is not None else []

    def create(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """See `makers.Maker.create`."""
        assert isinstance(thing, Table)
        more: dict[str, Any] = {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}
        if thing.stream:
            more["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": _STREAM}
        self._schema.create(thing.spec, **more)

    def ready(self, thing: Thing, tags: Mapping[str, str]) -> None:  # noqa: ARG002 - made with its tags
        """See `makers.Maker.ready`. Raises SchemaError where the table is not as greylag.yaml says."""
        assert isinstance(thing, Table)
        self._schema.prepare(thing.spec)

    def settings(self, thing: Thing) -> Iterator[Setting]:
        """See `makers.Maker.settings`."""
        assert isinstance(thing, Table)
        table = thing
        if table.spec.ttl_attribute is not None:
            yield Setting(
                "time to live",
                table.spec.ttl_attribute,
                lambda: self._info(table.name, "ttl"),
                lambda: self.ready(table, {}),
            )
        if table.stream:
            yield Setting(
                "stream", _STREAM, lambda: self._info(table.name, "stream"), lambda: self._stream(table)
            )

    def _info(self, name: str, what: str) -> Any:
        if what == "ttl":
            info = self._schema.describe(name)
            return info.ttl_attribute if info is not None else None
        with asking(f"looking at table {name}", self._session.region):
            told = self._client.describe_table(TableName=name)["Table"]
        return told.get("StreamSpecification", {}).get("StreamViewType")

    def _stream(self, table: Table) -> None:
        with asking(f"turning on the stream of table {table.name}", self._session.region):
            self._client.update_table(
                TableName=table.name,
                StreamSpecification={"StreamEnabled": True, "StreamViewType": _STREAM},
            )
        self._schema.prepare(table.spec)

    def contents(self, name: str) -> str:
        """See `makers.Maker.contents`."""
        page: dict[str, Any] = {}
        while True:
            with asking(f"reading table {name}", self._session.region):
                told = self._client.scan(TableName=name, Limit=1, ConsistentRead=True, **page)
            if told["Items"]:
                return "items"
            if not told.get("LastEvaluatedKey"):
                return ""
            page = {"ExclusiveStartKey": told["LastEvaluatedKey"]}

    def delete(self, name: str, say: Callable[[str], None]) -> None:  # noqa: ARG002 - one request
        """See `makers.Maker.delete`."""
        until = time.monotonic() + self._options.patience_seconds
        asked = False
        while True:
            try:
                told = self._client.describe_table(TableName=name)["Table"]
                if told["TableStatus"] != "DELETING" and not asked:
                    self._client.delete_table(TableName=name)
                    asked = True
            except (BotoCoreError, ClientError) as error:
                if code_of(error) == "ResourceNotFoundException":
                    return
                with asking(f"deleting table {name}", self._session.region):
                    raise
            if time.monotonic() > until:
                raise TransientError(f"table {name} is still being deleted", advice="Run again later.")
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Let go of connections."""
        self._schema.close()
        self._client.close()
