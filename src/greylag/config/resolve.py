"""From the shape of greylag.yaml to what it means: flows and the tables they write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.config.project import EVERY
from greylag.config.section import duration_seconds
from greylag.config.tables import complete
from greylag.core.flows import DatasetRef, FlowSpec, PythonSpec, SplitSpec, TableSpec, TtlSpec
from greylag.core.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from greylag.config.findings import Findings
    from greylag.config.model import Flow, ProjectFile, Split
    from greylag.config.tree import Step


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the file means: flows in its order, tables, and what `except:` names, by flow."""

    flows: tuple[FlowSpec, ...]
    tables: Mapping[DatasetRef, TableSpec]
    excluded: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A flow whose `from` and `to` are known, and its place in the file."""

    name: str
    service: str
    path: tuple[Step, ...]
    flow: Flow
    source: DatasetRef
    target: DatasetRef


def resolve(
    file: ProjectFile,
    connections: Collection[str],
    own_keys: Mapping[str, str],
    skipped_tables: Collection[str],
    findings: Findings,
) -> Resolved:
    """What `file` means. What is wrong becomes a finding, and its flow is left out of the result.

    `connections` are the names that may be used, `own_keys` the keys of those whose tables all have the same one, and
    `skipped_tables` the declared tables that are findings already.
    """
    return _Resolver(file, connections, own_keys, skipped_tables, findings).resolve()


class _Resolver:
    def __init__(
        self,
        file: ProjectFile,
        connections: Collection[str],
        own_keys: Mapping[str, str],
        skipped_tables: Collection[str],
        findings: Findings,
    ) -> None:
        self._file = file
        self._connections = connections
        self._own_keys = own_keys
        self._skipped_tables = set(skipped_tables)
        self._findings = findings

    def resolve(self) -> Resolved:
        declared = self._declared_tables()
        drafts = self._drafts()
        writers: dict[DatasetRef, list[_Draft]] = {}
        for draft in drafts:
            writers.setdefault(draft.target, []).append(draft)
        flows = []
        for draft in drafts:
            shared = declared.get(draft.target)
            if draft.target.dataset in self._skipped_tables:
                continue
            if draft.target.connection in self._own_keys:
                table = self._collection(draft, shared)
            elif shared is None:
                table = self._own_table(draft, writers[draft.target])
            else:
                table = self._shared_table(draft, shared)
            if table is not None:
                flows.append(self._spec(draft, table))
        excluded = {draft.name: frozenset(draft.flow.except_) for draft in drafts if draft.flow.except_}
        return Resolved(*complete(flows, declared, self._findings), excluded)

    # Where data comes from and goes to.

    def _declared_tables(self) -> dict[DatasetRef, TableSpec]:
        tables = {}
        for name, table in self._file.tables.items():
            path = ("tables", name)
            if not self._connection(table.in_, (*path, "in"), f"table {name}"):
                self._skipped_tables.add(name)
            self._distinct(table.key, (*path, "key"), f"the key of table {name}")
            for index, attributes in table.indexes.items():
                self._distinct(attributes, (*path, "indexes", index), f"index {index} of table {name}")
            ref = DatasetRef(table.in_, name)
            tables[ref] = TableSpec(
                ref, table.key, dict(table.indexes), dict(table.key_types), ttl_attribute=table.ttl
            )
            if table.in_ in self._own_keys:
                tables[ref] = self._collection_table(ref)
                given = {"key": table.key, "indexes": table.indexes, "key_types": table.key_types}
                if table.key == tables[ref].key:
                    del given["key"]
                self._refuse_sections({**given, "ttl": table.ttl}, path, f"table {name}", ref.connection)
        return tables

    def _drafts(self) -> list[_Draft]:
        drafts: list[_Draft] = []
        first: dict[str, str] = {}
        for service_name, service in self._file.services.items():
            for name, flow in service.flows.items():
                path = ("services", service_name, "flows", name)
                if name in first:
                    self._findings.add(
                        path, f"flow {name} stands in service {first[name]} already; names are unique"
                    )
                    continue
                first[name] = service_name
                source = self._reference(flow.from_, (*path, "from"), f"flow {name}")
                target = self._reference(flow.to, (*path, "to"), f"flow {name}")
                if source and target and self._fits(name, path, flow, source, target):
                    drafts.append(_Draft(name, service_name, path, flow, source, target))
        return drafts

    def _reference(self, text: str, path: tuple[Step, ...], owner: str) -> DatasetRef | None:
        connection, dot, dataset = text.partition(".")
        if not (connection and dot and dataset):
            shown = self._shown(text, path)
            known = ", ".join(self._connections)
            self._findings.add(
                path, f"`{path[-1]}` of {owner}: {shown} is not connection.dataset; connections: {known}"
            )
            return None
        exists = self._connection(connection, path, f"`{path[-1]}` of {owner}")
        return DatasetRef(connection, dataset) if exists else None

    def _connection(self, name: str, path: tuple[Step, ...], owner: str) -> bool:
        if name in self._connections:
            return True
        hint = did_you_mean(name, self._connections) or f"; connections: {', '.join(self._connections)}"
        self._findings.add(path, f"{owner}: there is no connection {self._shown(name, path)}{hint}")
        return False

    def _shown(self, text: str, path: tuple[Step, ...]) -> str:
        """`text` quoted, or the variables it came from: part of a value is a secret as the whole is."""
        variables = self._findings.tree.at(*path).variables
        return " ".join(f"${{{name}}}" for name, _ in variables) or repr(text)

    def _distinct(self, attributes: tuple[str, ...], path: tuple[Step, ...], owner: str) -> None:
        if len(set(attributes)) < len(attributes):
            self._findings.add(path, f"{owner} names {attributes[0]!r} twice")

    def _fits(
        self, name: str, path: tuple[Step, ...], flow: Flow, source: DatasetRef, target: DatasetRef
    ) -> bool:
        if (source.dataset == EVERY) != (target.dataset == EVERY):
            one, other = ("from", "to") if source.dataset == EVERY else ("to", "from")
            reference = source if one == "from" else target
            self._findings.add(
                (*path, other),
                f"flow {name}: `{one}: {reference}` needs a `{other}: connection.*` of the same names",
            )
            return False
        if flow.except_ and source.dataset != EVERY:
            self._findings.add((*path, "except"), f"flow {name}: `except` goes with `from: connection.*`")
        return True

    # Tables.

    def _shared_table(self, draft: _Draft, table: TableSpec) -> TableSpec | None:
        ok, name, owner = True, table.ref.dataset, f"flow {draft.name}"
        for section in ("key", "indexes", "key_types"):
            if getattr(draft.flow, section):
                ok = False
                self._findings.add(
                    (*draft.path, section),
                    f"{owner}: table {name} is declared under `tables:`; give its attributes under `attributes`,"
                    f" without `{section}`",
                )
        places: list[tuple[tuple[Step, ...], Mapping[str, Any], str]] = []
        if not draft.flow.key:
            places.append((draft.path, draft.flow.attributes, owner))
        places += [
            ((*draft.path, "split", path), split.attributes, f"split {path} of {owner}")
            for path, split in draft.flow.split.items()
        ]
        for path, attributes, place in places:
            missing = [attribute for attribute in table.key if attribute not in attributes]
            if missing:
                ok = False
                self._findings.add(
                    (*path, "attributes"),
                    f"{place} gives no {' and no '.join(missing)} under `attributes`: the key of table {name}",
                )
        return table if ok else None

    def _collection_table(self, ref: DatasetRef) -> TableSpec:
        return TableSpec(ref, (self._own_keys[ref.connection],), any_type=True)

    def _collection(self, draft: _Draft, shared: TableSpec | None) -> TableSpec | None:
        """The table of a connection whose tables need no declaration: all have one key, and take records as they
        are.
        """
        flow, connection = draft.flow, draft.target.connection
        given: dict[str, Any] = {
            name: getattr(flow, name) for name in ("indexes", "key_types", "types", "ttl")
        }
        if set(flow.key) - {self._own_keys[connection]}:
            given["key"] = flow.key
        if not self._refuse_sections(given, draft.path, f"flow {draft.name}", connection):
            return None
        ok = True
        for path, split in draft.flow.split.items():
            place, owner = (*draft.path, "split", path), f"split {path} of flow {draft.name}"
            sections = {"indexes": split.indexes, "types": split.types}
            ok &= self._refuse_sections(sections, place, owner, connection)
            key = self._own_keys[connection]
            if key not in {**split.attributes, **split.key}:
                ok = False
                self._findings.add(place, f"{owner} gives no {key}: the key of its table")
        return (shared or self._collection_table(draft.target)) if ok else None

    def _refuse_sections(
        self, given: Mapping[str, Any], path: tuple[Step, ...], owner: str, connection: str
    ) -> bool:
        for section in (name for name, value in given.items() if value):
            self._findings.add(
                (*path, section),
                f"{owner}: tables of connection {connection} have no `{section}` in greylag.yaml: their key is"
                f" {self._own_keys[connection]}, every value keeps its type, and indexes are made as the source's are",
            )
        return not any(given.values())

    def _own_table(self, draft: _Draft, writers: list[_Draft]) -> TableSpec | None:
        flow, owner, table = draft.flow, f"flow {draft.name}", draft.target
        if not flow.key:
            sharing = next((other.name for other in writers if other.flow.key), None)
            names = [ref for ref in self._file.tables if self._file.tables[ref].in_ == table.connection]
            hint = did_you_mean(table.dataset, names)
            if sharing is not None:
                message = (
                    f"{owner}: flow {sharing} writes table {table.dataset} too; declare it under `tables:`"
                )
            else:
                message = (
                    f"{owner}: table {table.dataset} is not declared{hint}"
                    f"{'' if hint else '; give `key: {attribute: template}` here, or declare it under `tables:`'}"
                )
            self._findings.add((*draft.path, "to"), message)
            return None
        if table.dataset != EVERY and len(writers) > 1:
            if writers[0] is not draft and all(other.flow.key for other in writers):
                self._findings.add(
                    (*draft.path, "key"),
                    f"{owner}: flow {writers[0].name} declares table {table.dataset} too;"
                    " declare it once, under `tables:`",
                )
            return None
        ok = self._one_or_two(flow.key, (*draft.path, "key"), f"`key` of {owner}")
        for index, templates in flow.indexes.items():
            ok &= self._one_or_two(templates, (*draft.path, "indexes", index), f"index {index} of {owner}")
        for path, split in flow.split.items():
            ok &= self._split_keys(draft, path, split)
        if not ok:
            return None
        indexes = {index: tuple(templates) for index, templates in flow.indexes.items()}
        return TableSpec(table, tuple(flow.key), indexes, dict(flow.key_types))

    def _one_or_two(self, templates: Mapping[str, Any], path: tuple[Step, ...], owner: str) -> bool:
        if 1 <= len(templates) <= 2:
            return True
        self._findings.add(
            path, f"{owner} has {len(templates)} attributes; a partition key and a sort key are all"
        )
        return False

    def _split_keys(self, draft: _Draft, path: str, split: Split) -> bool:
        given = {**split.attributes, **split.key}
        missing = [attribute for attribute in draft.flow.key if attribute not in given]
        if not missing:
            return True
        self._findings.add(
            (*draft.path, "split", path),
            f"split {path} of flow {draft.name} gives no {' and no '.join(missing)}: the key of its table",
        )
        return False

    # Flows.

    def _spec(self, draft: _Draft, table: TableSpec) -> FlowSpec:
        flow = draft.flow
        ttl = None
        attributes = self._templates(flow, draft.path, f"flow {draft.name}")
        if table.any_type:
            attributes = {**{name: f"{{{name}}}" for name in table.key}, **attributes}
        if flow.ttl is not None:
            after = duration_seconds(flow.ttl.after) if flow.ttl.after is not None else 0
            ttl = TtlSpec(flow.ttl.attribute, flow.ttl.from_ or flow.ttl.attribute, after)
        split = []
        for path, child in flow.split.items():
            place = (*draft.path, "split", path)
            templates = self._templates(child, place, f"split {path} of flow {draft.name}")
            split.append(SplitSpec(path, templates, child.rename, child.drop, child.types))
        return FlowSpec(
            name=draft.name,
            service=draft.service,
            source=draft.source,
            table=table,
            attributes=attributes,
            where=flow.where,
            rename=flow.rename,
            drop=flow.drop,
            types=flow.types,
            ttl=ttl,
            split=tuple(split),
            python=PythonSpec(flow.python.function, flow.python.inverse) if flow.python is not None else None,
            numbers=flow.numbers,
            keep_order=flow.order == "keep" or table.any_type,
        )

    def _templates(self, given: Flow | Split, path: tuple[Step, ...], owner: str) -> dict[str, Any]:
        """The templates of attributes, key and indexes as one mapping; two for one attribute are a finding."""
        merged = dict(given.attributes)
        sections: list[tuple[tuple[Step, ...], Mapping[str, Any]]] = [(("key",), given.key)]
        sections += [(("indexes", index), templates) for index, templates in given.indexes.items()]
        for section, templates in sections:
            for attribute, template in templates.items():
                if attribute in merged and (type(merged[attribute]), merged[attribute]) != (
                    type(template),
                    template,
                ):
                    self._findings.add(
                        (*path, *section, attribute),
                        f"{owner} gives {attribute} two templates that differ",
                    )
                merged.setdefault(attribute, template)
        return merged
