"""What a bucket costs a month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import GB, Bill

if TYPE_CHECKING:
    from greylag.cost.bill import Account

IA_LEAST_BYTES: Final = 128 * 1024
"""An object in infrequent access is billed for at least so much. Source: https://aws.amazon.com/s3/pricing/"""


@dataclass(frozen=True, slots=True)
class BucketUse:
    """A bucket in a month. `archived` is the share of objects in infrequent access; `cdn`: readers come to CloudFront
    instead of S3.
    """

    name: str
    objects: int = 0
    object_bytes: int = 0
    uploads: Decimal = Decimal(0)
    downloads: Decimal = Decimal(0)
    archived: Decimal = Decimal(0)
    cdn: bool = True


def bucket(account: Account, use: BucketUse) -> Bill:
    """Storage, requests, and what leaves AWS. Reading from infrequent access is paid by the GB beside."""
    old = (use.objects * use.archived).to_integral_value()
    lines = [
        account.line(
            f"{use.name}: storage",
            "s3",
            "storage",
            (use.objects - old) * use.object_bytes / GB,
            f"{use.objects - old:,.0f} objects of {use.object_bytes:,} B",
        ),
        account.line(f"{use.name}: uploads", "s3", "put", use.uploads),
        account.line(f"{use.name}: downloads", "s3", "get", use.downloads * (1 - use.archived)),
    ]
    if old:
        each = max(use.object_bytes, IA_LEAST_BYTES)
        read = use.downloads * use.archived
        lines += [
            account.line(
                f"{use.name}: infrequent access",
                "s3",
                "ia-storage",
                old * each / GB,
                f"{old:,.0f} objects, at least {IA_LEAST_BYTES:,} B each",
            ),
            account.line(f"{use.name}: moved there", "s3", "ia-transition", use.uploads * use.archived),
            account.line(f"{use.name}: read from there", "s3", "ia-get", read),
            account.line(f"{use.name}: bytes from there", "s3", "ia-retrieval", read * use.object_bytes / GB),
        ]
    gigabytes = use.downloads * use.object_bytes / GB
    if use.cdn:
        lines += [
            account.line(f"{use.name}: CDN requests", "cloudfront", "https-request", use.downloads),
            account.line(f"{use.name}: CDN transfer", "cloudfront", "transfer", gigabytes),
        ]
    else:
        lines.append(account.line(f"{use.name}: transfer", "ec2", "transfer-out", gigabytes))
    return Bill(tuple(lines))
