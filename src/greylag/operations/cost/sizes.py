"""How many records a service keeps and how large they are: as stated, or as the assessment finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.config import Project
    from greylag.operations.assess.report import Assessment

UNKNOWN_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Size:
    """`source` says how it is known."""

    items: int
    item_bytes: int
    source: str


def unstated(project: Project, services: Sequence[str]) -> tuple[str, ...]:
    """The services whose flows go to a table, and whose records nobody counted in greylag.yaml."""
    return tuple(
        name
        for name in services
        if project.services.get(name)
        and (
            (traffic := project.service_specs[name].traffic) is None
            or traffic.items is None
            or traffic.item_bytes is None
        )
    )


def assessed_sizes(assessment: Assessment) -> dict[str, Size]:
    """By flow. Bytes are those of BSON documents or of compact JSON, about what items of DynamoDB have."""
    sizes: dict[str, Size] = {}
    for each in assessment.datasets:
        found = each.profile
        if found is None or not found.sizes.count:
            continue
        records = found.records_read if found.records_total is None else found.records_total
        mean = -(-found.sizes.total // found.sizes.count)
        source = "counted" if found.whole else f"sampled, {found.records_read:,} of {records:,}"
        for name in each.flows:
            sizes[name] = Size(records, mean, source)
    return sizes


def flow_sizes(project: Project, service: str, found: Mapping[str, Size]) -> dict[str, Size]:
    """Of each flow of a service. What `traffic` says of the whole service is divided as the assessment found it, or
    evenly.
    """
    names = project.services.get(service, ())
    traffic = project.service_specs[service].traffic
    stated = None if traffic is None else traffic.items
    size = None if traffic is None else traffic.item_bytes
    known = sum(found[name].items for name in names if name in found)
    sizes = {}
    for name in names:
        have = found.get(name)
        if stated is None:
            items = have.items if have else 0
        else:
            items = stated * have.items // known if have and known else stated // len(names)
        sizes[name] = Size(
            items,
            size or (have.item_bytes if have else UNKNOWN_BYTES),
            "stated" if stated is not None else have.source if have else "unknown",
        )
    return sizes
