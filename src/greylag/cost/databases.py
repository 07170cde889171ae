"""What databases that run all the time cost a month: RDS for PostgreSQL, Aurora, DocumentDB."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import HOURS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account, Line

PROXY_VCPUS: Final = 2
"""The least that RDS Proxy is billed for. Source: https://aws.amazon.com/rds/proxy/pricing/"""

LEAST_CAPACITY: Final = Decimal("0.5")
"""Of a serverless database that does not pause.

Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/docdb-serverless-how-it-works.html
"""

WRITE_BYTES: Final = 4096
READ_BYTES: Final = 8192
"""What one I/O of Aurora's and DocumentDB's storage writes of the log, and reads.

Source: https://aws.amazon.com/documentdb/pricing/
"""

MISSES: Final = Decimal("0.05")
"""Share of reads that memory does not answer. An assumption: a database whose working set fits does better."""


@dataclass(frozen=True, slots=True)
class DatabaseUse:
    """A database in a month. `copies` are instances beside the first; `capacity` the mean of a serverless one."""

    name: str
    instance: str
    storage_gb: Decimal = Decimal(20)
    multi_az: bool = False
    copies: int = 0
    proxy: bool = False
    capacity: Decimal = LEAST_CAPACITY
    reads: Decimal = Decimal(0)
    writes: Decimal = Decimal(0)
    item_bytes: int = 1024
    misses: Decimal = MISSES


def rds(account: Account, use: DatabaseUse) -> Bill:
    """RDS for PostgreSQL: instances by the hour, storage as provisioned. Backups as large as the storage are free."""
    suffix = "-multi-az" if use.multi_az else ""
    lines = [
        account.line(
            f"{use.name}: {use.instance}{', Multi-AZ' if use.multi_az else ''}",
            "rds",
            f"{use.instance}{suffix}",
            Decimal(HOURS),
            f"{HOURS} hours",
        ),
        account.line(f"{use.name}: storage", "rds", f"gp3-storage{suffix}", use.storage_gb),
    ]
    if use.copies:
        lines += [
            account.line(
                f"{use.name}: {use.copies} replicas",
                "rds",
                use.instance,
                Decimal(HOURS * use.copies),
                f"{HOURS} hours x {use.copies}",
            ),
            account.line(
                f"{use.name}: storage of replicas", "rds", "gp3-storage", use.storage_gb * use.copies
            ),
        ]
    if use.proxy:
        lines.append(proxy(account, use.name, use.instance))
    return Bill(tuple(lines))


def proxy(account: Account, name: str, instance: str, hours: int = HOURS) -> Line:
    """RDS Proxy: by the vCPU of the instance behind it."""
    cpus = max(PROXY_VCPUS, vcpus(instance))
    return account.line(
        f"{name}: proxy", "rds", "proxy-vcpu-hour", Decimal(cpus * hours), f"{cpus} vCPUs x {hours} hours"
    )


def vcpus(instance: str) -> int:
    """Of an instance type, by its size: two up to `large`, then twice as many for each `x`."""
    size = instance.rpartition(".")[2]
    if not size.endswith("xlarge"):
        return 2
    times = size.removesuffix("xlarge")
    return 4 * int(times or 1)


def aurora(account: Account, use: DatabaseUse, *, serverless: bool = False) -> Bill:
    """Aurora PostgreSQL, standard storage: instances or capacity by the hour, data and I/O as used."""
    return _cluster(account, use, "aurora", "acu-hour", "ACU", serverless=serverless)


def documentdb(account: Account, use: DatabaseUse, *, serverless: bool = False) -> Bill:
    """DocumentDB, standard storage: instances or capacity by the hour, data and I/O as used."""
    return _cluster(account, use, "documentdb", "dcu-hour", "DCU", serverless=serverless)


def ios(use: DatabaseUse) -> Decimal:
    """Requests to the storage: each write, and the reads that memory does not answer."""
    written = use.writes * -(-use.item_bytes // WRITE_BYTES)
    read = use.reads * use.misses * -(-use.item_bytes // READ_BYTES)
    return (written + read).to_integral_value(ROUND_CEILING)


def _cluster(
    account: Account, use: DatabaseUse, service: str, sku: str, unit: str, *, serverless: bool
) -> Bill:
    instances = 1 + use.copies
    if serverless:
        mean = max(use.capacity, LEAST_CAPACITY)
        compute = account.line(
            f"{use.name}: capacity",
            service,
            sku,
            mean * instances * HOURS,
            f"{number(mean)} {unit} on average x {instances} instances x {HOURS} hours",
        )
    else:
        compute = account.line(
            f"{use.name}: {instances} x {use.instance}",
            service,
            use.instance,
            Decimal(instances * HOURS),
            f"{instances} x {HOURS} hours",
        )
    return Bill(
        (
            compute,
            account.line(f"{use.name}: storage", service, "storage", use.storage_gb),
            account.line(
                f"{use.name}: I/O",
                service,
                "io",
                ios(use),
                f"{number(use.writes)} writes + {use.misses:.0%} of {number(use.reads)} reads",
            ),
        )
    )
