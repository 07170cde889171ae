"""What this project saves already, and what it could save, each with its figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.cost import caches, dynamodb, objects
from greylag.cost.bill import GB, Account
from greylag.operations.cost.compose import bucket_use, run_bill

if TYPE_CHECKING:
    from greylag.operations.cost.compose import Basis

SMALLEST_NODE = "cache.t4g.micro"


@dataclass(frozen=True, slots=True)
class Saving:
    """US dollars a month, negative where it would cost more. `done`: the project has it."""

    name: str
    service: str
    dollars: Decimal
    done: bool
    worked: str

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "name": self.name,
            "service": self.service,
            "dollars": str(self.dollars),
            "done": self.done,
            "worked": self.worked,
        }


def savings(of: Basis) -> tuple[Saving, ...]:
    """In the order of the file."""
    found: list[Saving] = []
    for name in of.project.service_specs:
        found += _lifecycle(of, name)
        found += _cache(of, name)
        found += _arm(of, name)
    return (*found, *_endpoints(of))


def _lifecycle(of: Basis, name: str) -> list[Saving]:
    spec = of.project.service_specs[name]
    if spec.assets is None or spec.traffic is None or not spec.traffic.archived:
        return []
    use = bucket_use(spec)
    plain = objects.bucket(Account(of.prices, of.free), replace(use, archived=Decimal(0))).exact
    moved = objects.bucket(Account(of.prices, of.free), replace(use, archived=spec.traffic.archived)).exact
    done = spec.assets.archive_after_days is not None
    worked = (
        f"{spec.traffic.archived:.0%} of the objects in infrequent access: ${plain:,.2f} becomes ${moved:,.2f}"
        + ("" if done else "; `assets: {lifecycle: {archive_after: 30d}}` moves them")
    )
    return [_saving("lifecycle", name, plain - moved, done=done, worked=worked)]


def _cache(of: Basis, name: str) -> list[Saving]:
    spec, kept = of.project.service_specs[name], of.kept[name]
    if spec.traffic is None or not spec.traffic.hit_rate or not spec.traffic.reads or not kept.tables:
        return []
    rate = spec.traffic.hit_rate
    factor = 1 / (1 - rate) if spec.cache is not None and rate < 1 else Decimal(1)
    uses = [replace(use, reads=use.reads * factor) for use in kept.tables]
    whole = sum((dynamodb.on_demand(Account(of.prices, "none"), use).exact for use in uses), Decimal(0))
    left = [replace(use, reads=use.reads * (1 - rate)) for use in uses]
    fewer = sum((dynamodb.on_demand(Account(of.prices, "none"), use).exact for use in left), Decimal(0))
    reads = sum((use.reads for use in uses), Decimal(0)) * rate
    if spec.cache is not None:
        worked = (
            f"{rate:.0%} of the reads, {reads:,.0f} a month, come from the cache; it costs what the bill says"
        )
        return [_saving("cache", name, whole - fewer, done=True, worked=worked)]
    node = caches.nodes(Account(of.prices, of.free), name, engine="valkey", node=SMALLEST_NODE, count=1).exact
    worked = (
        f"{rate:.0%} of the reads, {reads:,.0f} a month, would save ${whole - fewer:,.2f}; a valkey "
        f"{SMALLEST_NODE} costs ${node:,.2f}"
    )
    return [_saving("cache", name, whole - fewer - node, done=False, worked=worked)]


def _arm(of: Basis, name: str) -> list[Saving]:
    spec = of.project.service_specs[name]
    if spec.run is None:
        return []

    def bill(architecture: str) -> Decimal:
        assert spec.run is not None
        account = Account(of.prices, "none")
        return run_bill(account, spec, spec.run, "expected", Decimal(1), architecture=architecture).exact

    intel, arm = bill("x86_64"), bill("arm64")
    done = spec.run.architecture == "arm64"
    worked = f"${intel:,.2f} on x86_64, ${arm:,.2f} on arm64, without free tier"
    return [_saving("arm", name, intel - arm, done=done, worked=worked)]


def _endpoints(of: Basis) -> list[Saving]:
    infrastructure = of.project.infrastructure
    if infrastructure is None or infrastructure.nat != "gateway":
        return []
    uses = [use for kept in of.kept.values() for use in kept.tables]
    passed = sum(((use.reads + use.writes) * use.item_bytes for use in uses), Decimal(0))
    for spec in of.project.service_specs.values():
        if spec.traffic is not None and spec.traffic.uploads is not None:
            passed += spec.traffic.uploads * spec.traffic.object_bytes
    if not passed:
        return []
    price = of.prices.price("ec2", "nat-gateway-gb")
    worked = (
        f"{passed / GB:,.1f} GB to and from DynamoDB and S3 do not pass the NAT gateway (${price.price} a GB): "
        "the endpoints that `infra render` makes are free"
    )
    return [_saving("endpoints", "(shared)", price.of(passed / GB), done=True, worked=worked)]


def _saving(name: str, service: str, amount: Decimal, *, done: bool, worked: str) -> Saving:
    return Saving(name, service, amount.quantize(Decimal("0.01")), done, worked)
