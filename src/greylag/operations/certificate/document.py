"""The document: made of a verification, written, read back. No secrets and no record of either side are in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag import __version__
from greylag.console.units import plural
from greylag.engine.disk import write_whole
from greylag.engine.ranges import Ranges, Sides, Sum
from greylag.errors import ConfigurationError, VerificationFailed
from greylag.operations.certificate.claims import claim_as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.engine.route import Route
    from greylag.engine.verification import FlowVerification, Verification

FORMAT = 1
CERTIFICATE, PROGRESS = "certificate", "progress report"


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a source could not change while it was read: `frozen`, the user's word for it; or, of every service that was
    verified, that its old store is fenced and what was written before has been applied. `positions` are those that
    were reached, by connection.
    """

    frozen: bool = False
    fenced: tuple[str, ...] = ()
    drained: tuple[str, ...] = ()
    positions: Mapping[str, str] | None = None

    def lacking(self, services: Sequence[str]) -> str | None:
        """Why it proves nothing for `services`; None where it does."""
        if self.frozen:
            return None
        missing = [
            f"{name} is not {what}"
            for name in services
            for what, those in (("fenced", self.fenced), ("drained", self.drained))
            if name not in those
        ]
        return None if not missing else "; ".join(missing) + "; nor was the source declared frozen"


def certify(
    project: Project,
    routes: Sequence[Route],
    found: Verification,
    standstill: Standstill,
    repaired: Mapping[str, int],
) -> dict[str, Any]:
    """What `found` proves. It is a certificate only where nothing could change, nothing did, and nothing differs."""
    because = _because(routes, found, standstill)
    counts = {each.flow: each for each in found.flows}
    ranges = found.ranges or Ranges[str]()
    document: dict[str, Any] = {
        "format": FORMAT,
        "kind": PROGRESS if because else CERTIFICATE,
        "because": because,
        "standstill": {
            "frozen": "declared by the user" if standstill.frozen else None,
            "fenced": sorted(standstill.fenced),
            "drained": sorted(standstill.drained),
        },
        "made_by": f"greylag {__version__}",
        "project": project.name,
        "environment": project.environment,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "mismatches": found.mismatches,
        "sources": _sources(routes, standstill.positions or {}),
        "tables": _tables(routes, found),
        "flows": [_flow(route, counts[route.name], ranges.get(route.name, {}), repaired) for route in routes],
    }
    return {**document, "root": root_of(document)}


def statement_of(document: Mapping[str, Any]) -> str:
    """What the document is, in a sentence."""
    if document["because"]:
        return f"A progress report, no certificate: {'; '.join(document['because'])}."
    return f"A certificate, root digest {document['root']}."


def root_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document without its `root`: as ASCII JSON, names sorted, no white space."""
    rest = {name: each for name, each in document.items() if name != "root"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def save(document: Mapping[str, Any], path: Path) -> None:
    """Raises ResourceError."""
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=True).encode("ascii") + b"\n")


def load(path: Path) -> dict[str, Any]:
    """Raises ConfigurationError for what is no such document, VerificationFailed for one that was changed."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not JSON"
        raise ConfigurationError(f"{path} cannot be read: {why}") from error
    if not isinstance(document, dict) or "root" not in document or document.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path} is no certificate of format {FORMAT}",
            advice="`greylag verify --certificate FILE` writes one.",
        )
    if root_of(document) != document["root"]:
        raise VerificationFailed(
            f"{path} was changed after it was made: its root digest is that of another document",
            advice="Check the file as it was written; white space does not matter, everything else does.",
        )
    return document


def _because(routes: Sequence[Route], found: Verification, standstill: Standstill) -> list[str]:
    because = [standstill.lacking(sorted({route.flow.service for route in routes})), *found.notes]
    if found.mismatches:
        because.append(f"{plural(found.mismatches, 'item')} at the target not as the source says")
    changed = sum(each.changed for each in found.flows)
    if changed:
        because.append(f"{plural(changed, 'item')} changed while they were compared")
    elif not found.mismatches:
        apart = sum(not sides.agree for each in (found.ranges or {}).values() for sides in each.values())
        if apart:
            because.append(f"something was written while {plural(apart, 'range')} were read")
    return [each for each in because if each]


def _sources(routes: Sequence[Route], positions: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "connection": connection,
            "dataset": dataset,
            "identity": identity,
            "position": positions.get(connection),
        }
        for connection, dataset, identity in sorted(
            {(each.flow.source.connection, each.dataset.dataset, each.dataset.identity) for each in routes}
        )
    ]


def _tables(routes: Sequence[Route], found: Verification) -> list[dict[str, Any]]:
    counts = {each.table: each for each in found.tables}
    tables = {str(route.flow.table.ref): route for route in routes}
    return [
        {
            "table": ref,
            "form": route.target.kind,
            "name": route.table.name,
            "identity": route.table.identity,
            "key": list(route.table.key),
            "key_types": dict(route.table.key_types),
            "indexes": {name: list(each) for name, each in route.table.indexes.items()},
            "ttl_attribute": route.table.ttl_attribute,
            "items": counts[ref].items,
            "unowned": counts[ref].unowned,
        }
        for ref, route in sorted(tables.items())
    ]


def _flow(
    route: Route, counts: FlowVerification, ranges: Mapping[int, Sides], repaired: Mapping[str, int]
) -> dict[str, Any]:
    whole = Sides.empty()
    for each in ranges.values():
        whole.merge(each)
    mapping = route.mapping()
    split = [f"{each.path}.{name}" for each in route.flow.split for name in each.drop]
    return {
        "flow": route.name,
        "service": route.flow.service,
        "dataset": str(route.flow.source),
        "family": route.dataset.family,
        "table": str(route.flow.table.ref),
        "mapping_digest": mapping.digest,
        "owns": claim_as_json(mapping.claim),
        "dropped": sorted([*route.flow.drop, *split]),
        "records": counts.records,
        "filtered": counts.filtered,
        "quarantined": counts.quarantined,
        "verified": counts.verified,
        "missing": counts.missing,
        "different": counts.different,
        "extra": counts.extra,
        "contested": counts.contested,
        "repaired": repaired.get(route.name, 0),
        **_sides(whole),
        "ranges": [{"range": f"{number:02x}", **_sides(each)} for number, each in sorted(ranges.items())],
    }


def _sides(sides: Sides) -> dict[str, Any]:
    told = {"source": _sum(sides.source), "target": _sum(sides.target)}
    if sides.alike_source.items:
        told["alike"] = {
            "items": sides.alike_source.items,
            "source": sides.alike_source.digest,
            "target": sides.alike_target.digest,
        }
    return told


def _sum(found: Sum) -> dict[str, Any]:
    return {"items": found.items, "digest": found.digest}
