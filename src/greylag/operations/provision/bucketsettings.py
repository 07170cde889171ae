"""The settings of a bucket, each beside what S3 tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from greylag.operations.provision.aws import asking, code_of
from greylag.operations.provision.makers import Setting
from greylag.operations.provision.policies import statement_in, tls_only, with_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.operations.provision.things import Bucket

_NOT_SET = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_NOTHING_PUBLIC = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
_UNFINISHED_DAYS = 7


class BucketSettings:
    """Those of one service; `ours` says in every request whose bucket we expect, `tls` whether it is reached so."""

    def __init__(self, client: Any, region: str, ours: Mapping[str, str], *, tls: bool) -> None:
        self._client = client
        self._region = region
        self._ours = ours
        self._tls = tls

    def of(self, bucket: Bucket) -> Iterator[Setting]:
        """See `makers.Maker.settings`."""
        yield self._ownership(bucket.name)
        yield self._public_access(bucket.name)
        yield self._versioning(bucket.name)
        yield self._encryption(bucket.name)
        yield self._lifecycle(bucket)
        if bucket.spec.cors:
            yield self._cors(bucket)
        if self._tls:
            yield self._policy(bucket.name)

    def _setting(
        self, name: str, bucket: str, wanted: Any, read: Callable[[], Any], write: Callable[[], Any]
    ) -> Setting:
        def reading() -> Any:
            with asking(f"reading {name} of bucket {bucket}", self._region):
                try:
                    return read()
                except ClientError as error:
                    if code_of(error) in _NOT_SET:
                        return None
                    raise

        def writing() -> None:
            with asking(f"setting {name} of bucket {bucket}", self._region):
                write()

        return Setting(name, wanted, reading, writing)

    def _ownership(self, bucket: str) -> Setting:
        def read() -> Any:
            told = self._client.get_bucket_ownership_controls(Bucket=bucket, **self._ours)
            return told["OwnershipControls"]["Rules"][0]["ObjectOwnership"]

        wanted = "BucketOwnerEnforced"
        return self._setting(
            "object ownership",
            bucket,
            wanted,
            read,
            lambda: self._client.put_bucket_ownership_controls(
                Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": wanted}]}, **self._ours
            ),
        )

    def _public_access(self, bucket: str) -> Setting:
        return self._setting(
            "Block Public Access",
            bucket,
            _NOTHING_PUBLIC,
            lambda: self._client.get_public_access_block(Bucket=bucket, **self._ours)[
                "PublicAccessBlockConfiguration"
            ],
            lambda: self._client.put_public_access_block(
                Bucket=bucket, PublicAccessBlockConfiguration=_NOTHING_PUBLIC, **self._ours
            ),
        )

    def _versioning(self, bucket: str) -> Setting:
        return self._setting(
            "versioning",
            bucket,
            "Enabled",
            lambda: self._client.get_bucket_versioning(Bucket=bucket, **self._ours).get("Status"),
            lambda: self._client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}, **self._ours
            ),
        )

    def _encryption(self, bucket: str) -> Setting:
        def read() -> Any:
            told = self._client.get_bucket_encryption(Bucket=bucket, **self._ours)
            [rule] = told["ServerSideEncryptionConfiguration"]["Rules"]
            # A key of KMS that somebody chose is more than we ask for.
            chosen = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            return "AES256" if chosen.startswith("aws:kms") else chosen

        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        return self._setting(
            "default encryption",
            bucket,
            "AES256",
            read,
            lambda: self._client.put_bucket_encryption(
                Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}, **self._ours
            ),
        )

    def _lifecycle(self, bucket: Bucket) -> Setting:
        wanted = {each["ID"]: each for each in _rules(bucket)}

        def rules() -> list[dict[str, Any]]:
            try:
                told = self._client.get_bucket_lifecycle_configuration(Bucket=bucket.name, **self._ours)
            except ClientError as error:
                if code_of(error) in _NOT_SET:
                    return []
                raise
            return list(told["Rules"])

        def write() -> None:
            kept = [each for each in rules() if each.get("ID") not in wanted]
            self._client.put_bucket_lifecycle_configuration(
                Bucket=bucket.name, LifecycleConfiguration={"Rules": [*kept, *wanted.values()]}, **self._ours
            )

        return self._setting(
            "lifecycle",
            bucket.name,
            wanted,
            lambda: {each["ID"]: _plain(each) for each in rules() if each.get("ID") in wanted},
            write,
        )

    def _cors(self, bucket: Bucket) -> Setting:
        rule = {
            "AllowedOrigins": list(bucket.spec.cors),
            "AllowedMethods": ["GET", "HEAD", "PUT", "POST"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
        return self._setting(
            "CORS",
            bucket.name,
            [rule],
            lambda: self._client.get_bucket_cors(Bucket=bucket.name, **self._ours)["CORSRules"],
            lambda: self._client.put_bucket_cors(
                Bucket=bucket.name, CORSConfiguration={"CORSRules": [rule]}, **self._ours
            ),
        )

    def _policy(self, bucket: str) -> Setting:
        arn = f"arn:{self._client.meta.partition}:s3:::{bucket}"
        statement = tls_only("s3", [arn, f"{arn}/*"])

        def policy() -> str | None:
            try:
                return str(self._client.get_bucket_policy(Bucket=bucket, **self._ours)["Policy"])
            except ClientError as error:
                if code_of(error) in _NOT_SET:
                    return None
                raise

        return self._setting(
            "TLS-only policy",
            bucket,
            statement,
            lambda: statement_in(policy()),
            lambda: self._client.put_bucket_policy(
                Bucket=bucket, Policy=with_statement(policy(), statement), **self._ours
            ),
        )


def _rules(bucket: Bucket) -> list[dict[str, Any]]:
    """As modules/assets has them."""
    spec = bucket.spec
    rules: list[dict[str, Any]] = [
        {
            **_rule("old-versions", ""),
            "NoncurrentVersionExpiration": {"NoncurrentDays": spec.old_versions_after_days},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
        {
            **_rule("unfinished-uploads", ""),
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
        },
    ]
    if spec.archive_after_days is not None:
        moved = {"Days": spec.archive_after_days, "StorageClass": "STANDARD_IA"}
        rules.append({**_rule("archive", ""), "Transitions": [moved]})
    rules += [
        {**_rule(f"expire {prefix}", prefix), "Expiration": {"Days": days}}
        for prefix, days in spec.expire_after_days.items()
    ]
    return rules


def _rule(name: str, beginning: str) -> dict[str, Any]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": beginning}}


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as we write it: S3 may leave an empty filter out."""
    beginning = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    return {
        **{name: each for name, each in rule.items() if name != "Prefix"},
        "Filter": {"Prefix": beginning},
    }
