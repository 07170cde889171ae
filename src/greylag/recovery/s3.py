"""A prefix of an S3 bucket as a place for backups. Credentials, region and endpoint are those of boto3's own chain."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.errors import SchemaError
from greylag.recovery.places import gone

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Bucket:
    """See `Place`. `prefix` has no slash at its ends."""

    bucket: str
    prefix: str
    region: str | None = None

    def write(self, name: str, content: bytes) -> None:
        """See `Place.write`. S3 compares the content with the SHA-256 that is sent along."""
        told = base64.b64encode(hashlib.sha256(content).digest()).decode()
        with self._asking(f"writing {self._shown(name)}"):
            _client(self.region).put_object(
                Bucket=self.bucket, Key=self._key(name), Body=content, ChecksumSHA256=told
            )

    def read(self, name: str) -> bytes:
        """See `Place.read`."""
        with self._asking(f"reading {self._shown(name)}"):
            client = _client(self.region)
            try:
                found: bytes = client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"].read()
            except client.exceptions.NoSuchKey:
                raise gone(self._shown(name)) from None
            return found

    def names(self) -> Iterator[str]:
        """See `Place.names`."""
        with self._asking(f"listing {self}"):
            for page in self._listed():
                for each in page.get("Contents", ()):
                    yield each["Key"][len(self._key("")) :]

    def folders(self) -> list[str]:
        """See `Place.folders`."""
        with self._asking(f"listing {self}"):
            found = [
                each["Prefix"][len(self._key("")) :].rstrip("/")
                for page in self._listed(Delimiter="/")
                for each in page.get("CommonPrefixes", ())
            ]
        return sorted(found)

    def remove(self, name: str) -> None:
        """See `Place.remove`."""
        with self._asking(f"removing {self._shown(name)}"):
            _client(self.region).delete_object(Bucket=self.bucket, Key=self._key(name))

    def below(self, name: str) -> Bucket:
        """See `Place.below`."""
        return Bucket(self.bucket, self._key(name), self.region)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def _listed(self, **more: str) -> Iterator[dict[str, Any]]:
        pages = _client(self.region).get_paginator("list_objects_v2")
        found: Iterator[dict[str, Any]] = iter(
            pages.paginate(Bucket=self.bucket, Prefix=self._key(""), **more)
        )
        return found

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _shown(self, name: str) -> str:
        return f"s3://{self.bucket}/{self._key(name)}"

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
            if code == "NoSuchBucket":
                raise SchemaError(
                    f"{doing}: there is no bucket {self.bucket}",
                    advice="Create it, or name another one: Greylag makes no bucket for backups.",
                ) from None
            raise from_sdk(error, doing, self.region or "") from None


@cache
def _client(region: str | None) -> Any:
    """One for each process."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    options: dict[str, Any] = {
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"mode": "standard", "total_max_attempts": 8},
    }
    client = session.create_client("s3", region_name=region, config=Config(**options))
    if client.meta.endpoint_url.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return client
    client.close()  # another server: no resolver knows its buckets' names
    return session.create_client(
        "s3", region_name=region, config=Config(**options, s3={"addressing_style": "path"})
    )
