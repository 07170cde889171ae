"""IAM policies name actions, resources and principals; `*` needs a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.policy.reasons import breach
from greylag.infra.policy.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.findings import Finding
    from greylag.infra.check.folder import Folder, Placed
    from greylag.infra.policy.statements import Statement


def wide_permissions(folder: Folder, placed: Placed) -> Iterator[Finding]:  # noqa: ARG001
    """Statements that allow every action, every resource, or everyone."""
    for statement in statements(placed.block):
        if statement.allows:
            yield from _wide(placed, statement)


def _wide(placed: Placed, statement: Statement) -> Iterator[Finding]:
    # In a key's own policy kms:* for the account's root is how access is handed to IAM, and * is the key itself.
    # Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    own_key = bool(statement.principals) and all(action.startswith("kms:") for action, _ in statement.actions)
    wild = [(action, line) for action, line in statement.actions if action == "*" or action.endswith(":*")]
    if wild and not own_key:
        action, line = wild[0]
        advice = "Name the actions that are used, or give the reason: # greylag:allow=wildcard-action: ..."
        yield breach(placed, "wildcard-action", line, f"the statement allows the action {action!r}", advice)
    everything = [line for resource, line in statement.resources if resource == "*"]
    if everything and not own_key:
        told = "the statement allows its actions on every resource ('*')"
        advice = "Name the resources, or give the reason: # greylag:allow=wildcard-resource: ..."
        yield breach(placed, "wildcard-resource", everything[0], told, advice)
    anyone = [line for principal, line in statement.principals if principal == "*"]
    if anyone and not statement.conditional:
        told = "the statement allows everyone, without a condition"
        advice = "Name the principals, or add a condition that keeps others out."
        yield breach(placed, "public-principal", anyone[0], told, advice)
