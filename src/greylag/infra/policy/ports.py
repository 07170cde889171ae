"""Everyone may connect to a load balancer at 80 and 443, and to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.hcl.tree import Sequence
from greylag.infra.policy.reasons import breach, literal, referred

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.findings import Finding
    from greylag.infra.check.folder import Folder, Placed
    from greylag.infra.hcl.tree import Body

_EVERYONE = {"0.0.0.0/0", "::/0"}
_WEB = {80, 443}
_BALANCERS = {"aws_lb", "aws_alb", "aws_elb"}


def open_ports(folder: Folder, placed: Placed) -> Iterator[Finding]:
    """Rules of security groups that let everyone in."""
    block = placed.block
    type_ = block.labels[0] if block.kind == "resource" else ""
    groups = set(referred(block.body, "aws_security_group"))
    rules: list[Body] = []
    if type_ == "aws_security_group":
        groups, rules = {block.labels[1]}, list(_rules(block.body))
    elif type_ == "aws_vpc_security_group_ingress_rule":
        rules = [block.body]
    elif type_ == "aws_security_group_rule":
        way = block.body.argument("type")
        rules = [block.body] if way is not None and literal(way.value) == "ingress" else []
    for rule in rules:
        opened = next(
            (each for each in rule.arguments if "cidr" in each.name and _everyone(each.value)), None
        )
        ports = _ports(rule)
        if opened is None or (ports and set(ports) <= _WEB and groups & _of_balancers(folder)):
            continue
        to = (
            f"port {ports[0]}"
            if len(ports) == 1
            else f"ports {ports[0]} to {ports[-1]}"
            if ports
            else "any port"
        )
        advice = (
            "Name the networks or groups that need it; a load balancer alone takes everyone, at 80 and 443."
        )
        yield breach(placed, "open-ingress", opened.line, f"everyone may connect to {to}", advice)


def _rules(body: Body) -> Iterator[Body]:
    """The rules written in the security group itself."""
    for each in body.blocks:
        if each.kind == "ingress":
            yield each.body
        elif each.kind == "dynamic" and each.labels == ("ingress",):
            yield from (content.body for content in each.body.of("content"))


def _everyone(value: object) -> bool:
    return any(
        literal(each) in _EVERYONE for each in (value.items if isinstance(value, Sequence) else (value,))
    )


def _ports(rule: Body) -> list[int]:
    """The first and last port of a rule; empty where it has all or they are not written out."""
    found = [
        literal(argument.value) for name in ("from_port", "to_port") if (argument := rule.argument(name))
    ]
    ports = sorted({each for each in found if isinstance(each, int) and 0 < each < 65536})
    return ports if len(found) == 2 and None not in found and 0 not in found else []


def _of_balancers(folder: Folder) -> set[str]:
    return {
        name
        for placed in folder.objects.values()
        if placed.block.labels[0] in _BALANCERS
        for name in referred(placed.block.body, "aws_security_group")
    }
