"""Policies: Greylag's own, few and sharp, and checkov's where it is installed.

A finding of Greylag's own is silenced by a reason beside it, in a comment within the block or on the line above it:

    # greylag:allow=wildcard-resource: xray:PutTraceSegments knows no resources

The comment by which checkov skips its check of the same matter (`checkov:skip=CKV_AWS_356:reason`) counts too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.policy.buckets import public_buckets
from greylag.infra.policy.permissions import wide_permissions
from greylag.infra.policy.ports import open_ports
from greylag.infra.policy.reasons import reasoned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.findings import Finding
    from greylag.infra.check.folder import Folder


def check_policies(folder: Folder) -> Iterator[Finding]:
    """What breaks a policy of Greylag's own and gives no reason beside it."""
    for placed in folder.blocks():
        for rule in (public_buckets, open_ports, wide_permissions):
            for finding in rule(folder, placed):
                if not reasoned(folder, placed, finding.kind):
                    yield finding
