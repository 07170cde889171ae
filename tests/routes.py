"""Routes over the memory connector, for tests of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.connectors.memory import MemoryConnector
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.mapping import compile_mapping
from greylag.engine.route import Route

if TYPE_CHECKING:
    from pathlib import Path


def route(
    path: Path,
    dataset: str,
    attributes: dict[str, Any],
    *,
    family: str = "json",
    table_name: str = "table",
    **rest: Any,
) -> Route:
    """A flow named as its dataset, from the memory file `path` to its table `table_name`, whose key is `pk`."""
    connector = MemoryConnector("memory", path, family)
    table = TableSpec(DatasetRef("memory", table_name), ("pk",))
    flow = FlowSpec(dataset, "service", DatasetRef("memory", dataset), table, attributes, **rest)
    source, target = connector.source(), connector.target()
    info = source.describe(dataset)
    prepared = target.prepare(table)
    source.close()
    target.close()
    spec = compile_mapping(flow, unique_id=info.unique_id).spec
    return Route(spec, connector, connector, info, prepared)
