"""Which items of a table a flow owns (law 11), in JSON: so that a checker of the target knows which to count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.mapping.ownership import Constant

if TYPE_CHECKING:
    from greylag.core.mapping.ownership import Claim, Pattern


def claim_as_json(claim: Claim) -> list[list[dict[str, Any]]]:
    """An item is the flow's where every pattern of one of the lists matches."""
    return [[_pattern(name, pattern) for name, pattern in each.patterns] for each in claim.alternatives]


def _pattern(name: str, pattern: Pattern) -> dict[str, Any]:
    if isinstance(pattern, Constant):
        return {"attribute": name, "constant": to_extended(pattern.value)}
    return {"attribute": name, "type": pattern.key_type, "literals": list(pattern.literals)}
