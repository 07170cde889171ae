"""Tables: as they stand, created where that is allowed, and held against what greylag.yaml says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.core.ports import TableInfo
from greylag.core.tables import differences
from greylag.errors import ConfigurationError, SchemaError, TransientError

if TYPE_CHECKING:
    from greylag.connectors.dynamodb.session import Session
    from greylag.core.flows import TableSpec

_POLL_SECONDS: Final = 0.25
_LONGEST_POLL_SECONDS: Final = 5.0


class Schema:
    """The tables of one connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client: Any = session.client()

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def check(self) -> None:
        """One request. An identity that may not list tables is known all the same."""
        try:
            self._client.list_tables(Limit=1)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "AccessDeniedException":
                raise from_sdk(error, f"connection {self._session.name}", self._session.region) from None

    def describe(self, table: str) -> TableInfo | None:
        """The table as it stands, None if there is none."""
        told = self._describe(table)
        return None if told is None else self._info(told)

    def prepare(self, spec: TableSpec) -> TableInfo:
        """See `ports.Target.prepare`. Indexes that greylag.yaml does not name may be there."""
        table = spec.ref.dataset
        told = self._describe(table)
        if told is None:
            if not self._session.options.create_tables:
                raise SchemaError(
                    f"table {spec.ref} does not exist in {self._session.region}",
                    advice=f"Create it with the key {_names(spec.key)}"
                    + "".join(
                        f" and the index {name} ({_names(each)})" for name, each in spec.indexes.items()
                    )
                    + f", or let Greylag: `create_tables: true` on connection {spec.ref.connection}.",
                )
            self.create(spec)
        info = self._info(self._active(table))
        found = differences(spec, info)
        if found:
            raise SchemaError(
                f"table {spec.ref} is not as greylag.yaml says: " + "; ".join(found),
                advice="Change greylag.yaml to the table as it stands, add missing indexes, or write to a new table.",
            )
        if spec.ttl_attribute is None or spec.ttl_attribute == info.ttl_attribute:
            return info
        return self._info(self._active(table)) if self._enable_ttl(spec, info) else info

    def _describe(self, table: str) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = self._client.describe_table(TableName=table)["Table"]
        except (BotoCoreError, ClientError) as error:
            if _code(error) == "ResourceNotFoundException":
                return None
            raise from_sdk(error, f"describing table {table}", self._session.region) from None
        return told

    def _info(self, told: dict[str, Any]) -> TableInfo:
        indexes = [*told.get("GlobalSecondaryIndexes", ()), *told.get("LocalSecondaryIndexes", ())]
        made = told.get("CreationDateTime")
        return TableInfo(
            name=told["TableName"],
            identity=told.get("TableId") or f"{told['TableArn']}@{made.timestamp() if made else ''}",
            key=_key(told["KeySchema"]),
            indexes={each["IndexName"]: _key(each["KeySchema"]) for each in indexes},
            key_types={each["AttributeName"]: each["AttributeType"] for each in told["AttributeDefinitions"]},
            estimated_items=told.get("ItemCount"),
            ttl_attribute=self._ttl(told["TableName"]),
            extra={"status": told["TableStatus"], **_capacity(told)},
        )

    def _ttl(self, table: str) -> str | None:
        try:
            told = self._client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        except (BotoCoreError, ClientError) as error:
            raise from_sdk(
                error, f"describing the time to live of table {table}", self._session.region
            ) from None
        return told.get("AttributeName") if told["TimeToLiveStatus"] in {"ENABLED", "ENABLING"} else None

    def create(self, spec: TableSpec, **more: Any) -> None:
        """Ask for the table, without waiting for it; `more` goes into the request. One that is there already is no
        error: whoever made it, it is held against the spec next.
        """
        names = list(dict.fromkeys([*spec.key, *(name for keys in spec.indexes.values() for name in keys)]))
        unknown = [name for name in names if name not in spec.key_types]
        if unknown:
            raise ConfigurationError(
                f"table {spec.ref} cannot be created: the type of {_names(unknown)} is not known",
                advice="Say it in a template, as in `{field:S}`, `{field:N}` or `{field:B}`, or under `types`.",
            )
        request: dict[str, Any] = {
            "TableName": spec.ref.dataset,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": spec.key_types[name]} for name in names
            ],
            "KeySchema": _key_schema(spec.key),
            **more,
        }
        if spec.indexes:
            request["GlobalSecondaryIndexes"] = [
                {"IndexName": name, "KeySchema": _key_schema(keys), "Projection": {"ProjectionType": "ALL"}}
                for name, keys in spec.indexes.items()
            ]
        try:
            self._client.create_table(**request)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "ResourceInUseException":
                raise from_sdk(error, f"creating table {spec.ref}", self._session.region) from None

    def _active(self, table: str) -> dict[str, Any]:
        """The table once it and its indexes can be written."""
        until = time.monotonic() + self._session.options.patience_seconds
        delay = _POLL_SECONDS
        while True:
            told = self._describe(table)
            if told is not None:
                if told["TableStatus"] == "DELETING":
                    raise SchemaError(f"table {table} is being deleted", advice="Run again once it is gone.")
                indexes = told.get("GlobalSecondaryIndexes", ())
                if told["TableStatus"] in {"ACTIVE", "UPDATING"} and all(
                    each.get("IndexStatus", "ACTIVE") in {"ACTIVE", "UPDATING"} for each in indexes
                ):
                    return told
            if time.monotonic() > until:
                raise TransientError(f"table {table} does not become active", advice="Run again later.")
            time.sleep(delay)
            delay = min(delay * 1.5, _LONGEST_POLL_SECONDS)

    def _enable_ttl(self, spec: TableSpec, info: TableInfo) -> bool:
        if info.ttl_attribute is not None or not self._session.options.create_tables:
            raise SchemaError(
                f"table {spec.ref} expires items by {info.ttl_attribute or 'no attribute'}, "
                f"greylag.yaml says {spec.ttl_attribute}",
                advice="Change `ttl`, or turn time to live on for that attribute (with `create_tables: true` Greylag "
                "does, where it is off).",
            )
        try:
            self._client.update_time_to_live(
                TableName=info.name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": spec.ttl_attribute},
            )
        except (BotoCoreError, ClientError) as error:
            doing = f"turning on time to live of table {spec.ref}"
            raise from_sdk(error, doing, self._session.region) from None
        return True


def _capacity(told: dict[str, Any]) -> dict[str, Any]:
    """How the table is billed and what it can take: `write_units`, provisioned or else warm, of the table (under
    the empty name) and of its indexes, as far as DynamoDB tells.
    """
    on_demand = told.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    units: dict[str, int] = {}
    for name, each in {
        "": told,
        **{each["IndexName"]: each for each in told.get("GlobalSecondaryIndexes", ())},
    }.items():
        provisioned = each.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0)
        found = each.get("WarmThroughput", {}).get("WriteUnitsPerSecond") if on_demand else provisioned
        if found:
            units[name] = int(found)
    return {"on_demand": on_demand, "write_units": units}


def _key(schema: list[dict[str, str]]) -> tuple[str, ...]:
    """Partition key first."""
    return tuple(each["AttributeName"] for each in sorted(schema, key=lambda each: each["KeyType"] != "HASH"))


def _key_schema(names: tuple[str, ...]) -> list[dict[str, str]]:
    kinds = zip(names, ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)


def _code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code")) if isinstance(error, ClientError) else ""
