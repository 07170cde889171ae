"""What greylag.yaml says about flows and tables, once it has been read: plain, frozen, free of any secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A dataset of a connection: `mongo.products` is ("mongo", "products")."""

    connection: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.connection}.{self.dataset}"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A target table as greylag.yaml declares it, under `tables:` or in the only flow that writes it.

    `key` names one or two attributes, partition key first; `indexes` the same by index name. `key_types` holds
    "S", "N" or "B" for those of these attributes whose type the templates decide; the rest is learned from an
    existing table, or else from the source's records. `any_type`: the target takes values of every type for the key
    (see `ports.Documents`), so there are no key types; `options` are those it is made with where it is missing, in the
    target's own words.
    """

    ref: DatasetRef
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key_types: Mapping[str, str] = field(default_factory=dict)
    ttl_attribute: str | None = None
    any_type: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TtlSpec:
    """`ttl:`: `attribute` gets the date in `field` as N of epoch seconds, `after_seconds` later.

    Where `attribute` is the field itself (`ttl: expiresAt`) the field is carried in that form, and its exact
    value by a hint.
    """

    attribute: str
    field: str
    after_seconds: int = 0


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """`split:` of one embedded array: each element becomes a child item of its own.

    Templates of a child see the element's fields as `{field}` (a scalar element as `{@value}`, carried under the
    attribute `value`), its place as `{@index}` and the parent's fields as `{@parent.field}`.
    """

    path: str
    attributes: Mapping[str, Any]
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PythonSpec:
    """`python:` "module:function", record → record or list of records, and the inverse if there is one."""

    function: str
    inverse: str | None = None


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """One flow. `attributes` holds templates (str) and constants by attribute, with those of `key:` and `indexes:`.

    `table` is shared by every flow that writes it. `types` maps source paths (core/paths.py) to type names
    (values.TYPE_NAMES, and `uuid`, `int32`, `date:ms`, `date:s`). `numbers` says what happens to numbers DynamoDB
    has no N for: "quarantine" or "string". `keep_order` is `order: keep`.
    """

    name: str
    service: str
    source: DatasetRef
    table: TableSpec
    attributes: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    ttl: TtlSpec | None = None
    split: tuple[SplitSpec, ...] = ()
    python: PythonSpec | None = None
    numbers: str = "quarantine"
    keep_order: bool = False
