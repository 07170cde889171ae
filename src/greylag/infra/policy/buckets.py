"""No bucket is public, and none can be made so by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity
from greylag.infra.policy.reasons import breach, literal, referred

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.infra.check.folder import Folder, Placed

_PUBLIC_ACLS = {"public-read", "public-read-write", "authenticated-read"}
_BLOCKS_PUBLIC = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def public_buckets(folder: Folder, placed: Placed) -> Iterator[Finding]:
    """ACLs that open a bucket, and buckets whose opening nothing blocks."""
    block = placed.block
    type_ = block.labels[0] if block.kind == "resource" else ""
    acl = block.body.argument("acl")
    if type_ in ("aws_s3_bucket", "aws_s3_bucket_acl") and acl and literal(acl.value) in _PUBLIC_ACLS:
        told = f"the ACL {literal(acl.value)} opens the bucket to everyone"
        advice = "Keep it private; serve public files through CloudFront with origin access control."
        yield breach(placed, "public-bucket", acl.line, told, advice)
    if type_ == "aws_s3_bucket_public_access_block":
        for name in _BLOCKS_PUBLIC:
            argument = block.body.argument(name)
            if argument is None or literal(argument.value) is False:
                told = f"{name} is {'false' if argument else 'not set, which is false'}: the bucket can be made public"
                line = argument.line if argument else block.line
                yield breach(placed, "public-bucket", line, told, f"Set {name} = true.")
    if type_ == "aws_s3_bucket" and block.labels[1] not in _blocked(folder):
        told = "nothing here blocks public access to this bucket"
        advice = "Add an aws_s3_bucket_public_access_block for it with all four arguments true."
        yield breach(placed, "public-bucket", block.line, told, advice, severity=Severity.WARNING)


def _blocked(folder: Folder) -> set[str]:
    """The names of buckets that an aws_s3_bucket_public_access_block refers to."""
    return {
        name
        for placed in folder.objects.values()
        if placed.block.labels[0] == "aws_s3_bucket_public_access_block"
        for name in referred(placed.block.body, "aws_s3_bucket")
    }
