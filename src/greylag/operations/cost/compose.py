"""A project's month: what each service and what all of them share use of AWS, put to one account."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final, Literal

from greylag.cost import caches, compute, databases, dynamodb, edge, network, objects, queues
from greylag.cost.bill import GB, HOURS, Account, Bill, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.config import Project
    from greylag.core.services import DatabaseSpec, RunSpec, ServiceSpec, TrafficSpec
    from greylag.cost.bill import Free
    from greylag.cost.prices import PriceList
    from greylag.operations.cost.tables import Kept

SHARED: Final = "(shared)"
Case = Literal["low", "expected", "high"]
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_PER_MONTH = {"minute": Decimal(HOURS * 60), "hour": Decimal(HOURS), "day": Decimal(HOURS) / 24}


@dataclass(frozen=True, slots=True)
class Basis:
    """What a month is reckoned from."""

    project: Project
    kept: Mapping[str, Kept]
    prices: PriceList
    free: Free


def month(of: Basis, case: Case = "expected", times: Decimal = Decimal(1)) -> dict[str, Bill]:
    """The bill of each service, then of what they share. `times` multiplies the traffic beside what `case` does."""
    account = Account(of.prices, of.free)
    bills = {}
    for name, spec in of.project.service_specs.items():
        factor = times * _factor(spec.traffic, case)
        bills[name] = _service(account, spec, of.kept[name], case, factor)
    shared = _shared(account, of, case, times)
    if shared.lines:
        bills[SHARED] = shared
    return bills


def calls_of(spec: ServiceSpec) -> Decimal:
    """Calls a month that a cost is divided by."""
    return (spec.traffic.requests or Decimal(0)) if spec.traffic is not None else Decimal(0)


def database_use(
    of: Basis, name: str, each: DatabaseSpec, times: Decimal = Decimal(1)
) -> databases.DatabaseUse:
    """What the services that use a database ask of it."""
    users = [
        spec
        for spec in of.project.service_specs.values()
        if spec.run is not None and name in spec.run.databases
    ]
    traffics = [spec.traffic for spec in users if spec.traffic is not None]
    reads = sum((each.reads or Decimal(0) for each in traffics), Decimal(0))
    writes = sum((each.writes or Decimal(0) for each in traffics), Decimal(0))
    stated = sum((each.items or 0) * (each.item_bytes or 1024) for each in traffics)
    bytes_ = sum(of.kept[spec.name].other_bytes for spec in users) or stated
    size = max((each.item_bytes or 1024 for each in traffics), default=1024)
    return databases.DatabaseUse(
        name=name,
        instance=each.instance,
        storage_gb=Decimal(each.storage_gb) if each.kind == "postgres" else Decimal(bytes_) / GB,
        multi_az=each.multi_az,
        copies=each.replicas + (1 if each.kind == "documentdb" and each.multi_az else 0),
        proxy=each.proxy,
        capacity=_mean(each, "expected"),
        reads=reads * times,
        writes=writes * times,
        item_bytes=size,
    )


def _factor(traffic: TrafficSpec | None, case: Case) -> Decimal:
    if traffic is None or case == "expected":
        return Decimal(1)
    return traffic.low if case == "low" else traffic.high


def _service(account: Account, spec: ServiceSpec, kept: Kept, case: Case, times: Decimal) -> Bill:
    name, traffic = spec.name, spec.traffic
    bills = [
        dynamodb.on_demand(account, replace(use, reads=use.reads * times, writes=use.writes * times))
        for use in kept.tables
    ]
    requests = _whole((traffic.requests or Decimal(0)) * times) if traffic is not None else Decimal(0)
    if spec.run is not None:
        bills.append(run_bill(account, spec, spec.run, case, times))
        if spec.run.secrets:
            bills.append(
                Bill(
                    (
                        account.line(
                            f"{name}: secrets", "secretsmanager", "secret", Decimal(len(spec.run.secrets))
                        ),
                    )
                )
            )
    if spec.api is not None and spec.run is not None:
        answer = traffic.response_bytes if traffic is not None else 0
        if spec.run.kind == "function":
            bills.append(edge.http_api(account, name, requests=requests))
        else:
            bills.append(
                edge.load_balancer(account, name, requests=requests, transfer_gb=requests * answer / GB)
            )
        bills += [
            edge.firewall(account, name, requests=requests),
            edge.cdn(account, name, requests=requests, answer_bytes=answer),
        ]
    if spec.cache is not None:
        bills.append(_cache(account, spec, case, times))
    if spec.queue is not None:
        bills.append(
            queues.queue(
                account,
                f"{name} queue",
                messages=_whole((traffic.messages or Decimal(0)) * times) if traffic else Decimal(0),
                message_bytes=traffic.message_bytes if traffic else 1,
                fifo=spec.queue.fifo,
                polled=spec.run is not None and spec.run.kind == "function",
            )
        )
    if spec.assets is not None:
        bills.append(objects.bucket(account, bucket_use(spec, times)))
    return total(bills)


def bucket_use(spec: ServiceSpec, times: Decimal = Decimal(1)) -> objects.BucketUse:
    """Of a service's bucket; objects stay in standard storage where no lifecycle moves them."""
    assert spec.assets is not None
    traffic = spec.traffic
    if traffic is None:
        return objects.BucketUse(f"{spec.name} files", cdn=spec.assets.cloudfront)
    return objects.BucketUse(
        name=f"{spec.name} files",
        objects=traffic.objects or 0,
        object_bytes=traffic.object_bytes,
        uploads=_whole((traffic.uploads or Decimal(0)) * times),
        downloads=_whole((traffic.downloads or Decimal(0)) * times),
        archived=traffic.archived if spec.assets.archive_after_days is not None else Decimal(0),
        cdn=spec.assets.cloudfront,
    )


def run_bill(
    account: Account,
    spec: ServiceSpec,
    run: RunSpec,
    case: Case,
    times: Decimal,
    *,
    architecture: str | None = None,
) -> Bill:
    """The program. Containers run as many as `count` says at least, as desired, and at most."""
    arm = (architecture or run.architecture) == "arm64"
    traffic = spec.traffic
    if run.kind == "container":
        count = {"low": run.min_count, "expected": run.desired_count, "high": run.max_count}[case]
        return compute.containers(
            account, spec.name, count=Decimal(count), cpu=run.cpu, memory_mb=run.memory_mb, arm=arm
        )
    calls = Decimal(0)
    if traffic is not None:
        calls = (traffic.requests or Decimal(0)) + (
            (traffic.messages or Decimal(0)) if spec.queue is not None else Decimal(0)
        )
    match = _RATE.fullmatch(run.schedule or "")
    scheduled = _PER_MONTH[match[2]] / int(match[1]) if match else Decimal(0)
    return compute.function(
        account,
        spec.name,
        calls=_whole(calls * times + scheduled),
        milliseconds=traffic.milliseconds if traffic is not None else 100,
        memory_mb=run.memory_mb,
        arm=arm,
        warm=run.provisioned_concurrency or 0,
    )


def _cache(account: Account, spec: ServiceSpec, case: Case, times: Decimal) -> Bill:
    cache, traffic = spec.cache, spec.traffic
    assert cache is not None
    reads = (traffic.reads or Decimal(0)) * times if traffic is not None else Decimal(0)
    misses = reads * (1 - traffic.hit_rate) if traffic is not None else Decimal(0)
    size = (traffic.item_bytes or 1024) if traffic is not None else 1024
    if cache.engine == "dynamodb":
        use = dynamodb.TableUse(f"{spec.name} cache", reads=reads, writes=misses, item_bytes=size, pitr=False)
        return dynamodb.on_demand(account, use)
    if cache.node is not None:
        return caches.nodes(
            account, f"{spec.name} cache", engine=cache.engine, node=cache.node, count=1 + cache.replicas
        )
    kept = caches.LEAST_GB[cache.engine] if case == "low" else Decimal(cache.max_gb)
    return caches.serverless(
        account,
        f"{spec.name} cache",
        engine=cache.engine,
        kept_gb=kept,
        calls=_whole(reads + misses),
        item_bytes=size,
    )


def _shared(account: Account, of: Basis, case: Case, times: Decimal) -> Bill:
    infrastructure = of.project.infrastructure
    if infrastructure is None:
        return Bill()
    specs = of.project.service_specs.values()
    bills = []
    for name, each in infrastructure.databases.items():
        use = database_use(of, name, each, times)
        if each.kind == "postgres":
            bills.append(databases.rds(account, use))
        elif each.serverless is None:
            bills.append(databases.documentdb(account, use))
        else:
            use = replace(use, capacity=_mean(each, case))
            bills.append(databases.documentdb(account, use, serverless=True))
    networked = infrastructure.databases or any(
        (spec.run is not None and spec.run.kind == "container")
        or (spec.cache is not None and spec.cache.engine != "dynamodb")
        for spec in specs
    )
    if networked and infrastructure.nat == "gateway":
        bills.append(network.nat_gateway(account, gigabytes=Decimal(0)))
    elif networked and infrastructure.nat == "instance":
        bills.append(network.nat_instance(account))
    classes = [
        any(of.kept[spec.name].tables for spec in specs),
        bool(infrastructure.databases),
        any(spec.cache is not None and spec.cache.engine != "dynamodb" for spec in specs),
        any(spec.queue is not None for spec in specs),
        any(spec.assets is not None for spec in specs),
        any(spec.run is not None for spec in specs),
        True,
    ]
    bills.append(
        Bill(
            (
                account.line(
                    "keys", "kms", "key", Decimal(sum(classes)), "one for each kind of what is encrypted"
                ),
            )
        )
    )
    return total(bills)


def _mean(each: DatabaseSpec, case: Case) -> Decimal:
    """The capacity a serverless database has on average: its least, a third of the way up, its most. An assumption."""
    if each.serverless is None:
        return databases.LEAST_CAPACITY
    least, most = (Decimal(str(bound)) for bound in each.serverless)
    return {"low": least, "expected": (least + least + most) / 3, "high": most}[case]


def _whole(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)
