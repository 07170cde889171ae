"""The reasons that silence a policy, and what the policies share: literals of a block and who it refers to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity
from greylag.infra.hcl.tree import Literal, Reference
from greylag.infra.hcl.walk import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.infra.check.folder import Folder, Placed
    from greylag.infra.hcl.tree import Body

_SAME_IN_CHECKOV = {
    "public-bucket": {f"CKV_AWS_{n}" for n in (20, 53, 54, 55, 56, 57, 70)} | {"CKV2_AWS_6"},
    "public-principal": {"CKV_AWS_70", "CKV_AWS_283", "CKV_AWS_168", "CKV_AWS_169"},
    "wildcard-action": {
        f"CKV_AWS_{n}" for n in (1, 49, 62, 63, 107, 108, 109, 110, 111, 286, 287, 288, 289, 290)
    },
    "wildcard-resource": {
        f"CKV_AWS_{n}" for n in (1, 62, 107, 108, 109, 110, 111, 286, 287, 288, 289, 290, 355, 356)
    },
    "open-ingress": {"CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "CKV_AWS_277"},
}
_REASON = re.compile(r"(?:#|//)\s*(?:greylag:allow=([\w-]+)|checkov:skip=(CKV2?_AWS_\d+))\s*:\s*(\S.*)")


def reasoned(folder: Folder, placed: Placed, kind: str) -> bool:
    """Whether a comment in the block, or on the line above it, gives a reason for this kind of finding."""
    around = folder.lines(placed.file)[max(placed.block.line - 2, 0) : placed.block.end]
    return any(
        found[1] == kind or found[2] in _SAME_IN_CHECKOV[kind]
        for found in map(_REASON.search, around)
        if found is not None
    )


def breach(
    placed: Placed, kind: str, line: int, message: str, advice: str, *, severity: Severity = Severity.BLOCKER
) -> Finding:
    """The finding that the block at `placed` breaks a policy."""
    prefix = "data." if placed.block.kind == "data" else ""
    return Finding(severity, kind, prefix + ".".join(placed.block.labels), message, advice, placed.file, line)


def literal(value: object) -> object:
    """What a literal says; None for any other expression."""
    return value.value if isinstance(value, Literal) else None


def referred(body: Body, type_: str) -> Iterator[str]:
    """The names of the resources of a type that the arguments of a body refer to."""
    for argument in body.arguments:
        for part in parts(argument.value):
            if isinstance(part, Reference) and part.root == type_ and part.steps:
                yield str(part.steps[0])
