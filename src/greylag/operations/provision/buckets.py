"""Private S3 buckets: nothing public, versions kept, encrypted, TLS alone, as modules/assets makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from greylag.errors import ConnectorError
from greylag.operations.provision.aws import Unsupported, asking, code_of, is_aws, is_billed, status_of
from greylag.operations.provision.bucketsettings import BucketSettings
from greylag.operations.provision.makers import Found, Look, server_time
from greylag.operations.provision.things import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.operations.provision.aws import Account
    from greylag.operations.provision.makers import Setting
    from greylag.operations.provision.things import Thing

_NO_LOCATION = "us-east-1"
"""The region that is not named when a bucket is made in it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
"""
_OWN_ALREADY = "BucketAlreadyOwnedByYou"
_TAKEN = "BucketAlreadyExists"
_BATCH = 1000
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


class Buckets:
    """See `makers.Maker`."""

    kind = "bucket"

    def __init__(self, account: Account) -> None:
        self._client = account.s3
        self._region = account.region
        self._url = str(self._client.meta.endpoint_url)
        self.is_aws = is_aws(self._url)
        self.billed = is_billed(self._url)
        self.place = account.place(self._url)
        shape = self._client.meta.service_model.shape_for("CreateBucketConfiguration")
        self.tags_at_creation = self.is_aws and "Tags" in shape.members
        # Names are shared by all accounts: what is another's answers 403 to every request that says whose we expect.
        self._ours = {"ExpectedBucketOwner": account.number} if self.is_aws else {}

    def look(self, name: str) -> Look:
        """See `makers.Maker.look`."""
        try:
            self._client.head_bucket(Bucket=name, **self._ours)
        except (BotoCoreError, ClientError) as error:
            if status_of(error) == 404:
                return Look(None, server_time(error))
            if status_of(error) in {301, 403}:
                raise self._not_ours(name, status_of(error)) from None
            with asking(f"looking at bucket {name}", self._region):
                raise
        made = self._listed(name)
        tags = self._tags(name)
        # S3 changes the date of a bucket with its policy: only where there are no tags it has to do.
        # Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html
        return Look(
            Found(
                f"arn:{self._client.meta.partition}:s3:::{name}" if tags is not None else f"{name}@{made}",
                made,
                tags,
            )
        )

    def _not_ours(self, name: str, status: int) -> ConnectorError:
        self._listed(name)  # raises where it is the credentials that are wrong
        if status == 301:
            return ConnectorError(
                f"bucket {name} exists in another region than {self._region}",
                advice="Choose another name: `assets: {bucket: NAME}` of the service.",
            )
        return ConnectorError(
            f"bucket {name} is another account's, or one that these credentials may not look at",
            advice="All accounts share the names of buckets. Choose another: `assets: {bucket: NAME}` of the service.",
        )

    def _listed(self, name: str) -> float:
        """When it was made, as far as we may list it; 0 where it is not among our buckets."""
        page: dict[str, Any] = {}
        while True:
            with asking("listing buckets", self._region):
                told = self._client.list_buckets(Prefix=name, **page)
            for each in told.get("Buckets", ()):
                if each["Name"] == name:
                    return float(each["CreationDate"].timestamp())
            if not told.get("ContinuationToken"):
                return 0.0
            page = {"ContinuationToken": told["ContinuationToken"]}

    def _tags(self, name: str) -> dict[str, str] | None:
        try:
            with asking(f"reading the tags of bucket {name}", self._region):
                try:
                    told = self._client.get_bucket_tagging(Bucket=name, **self._ours)
                except ClientError as error:
                    if code_of(error) == "NoSuchTagSet":
                        return {}
                    raise
        except Unsupported:
            return None
        return {each["Key"]: each["Value"] for each in told["TagSet"]}

    def create(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """See `makers.Maker.create`."""
        configuration: dict[str, Any] = {}
        if self._region != _NO_LOCATION:
            configuration["LocationConstraint"] = self._region
        if self.tags_at_creation:
            configuration["Tags"] = _tag_set(tags)
        more = {"CreateBucketConfiguration": configuration} if configuration else {}
        with asking(f"creating bucket {thing.name}", self._region):
            try:
                self._client.create_bucket(Bucket=thing.name, **more)
            except ClientError as error:
                if code_of(error) == _TAKEN:
                    raise self._not_ours(thing.name, 403) from None
                if code_of(error) != _OWN_ALREADY:
                    raise

    def ready(self, thing: Thing, tags: Mapping[str, str]) -> None:
        """See `makers.Maker.ready`."""
        if self.tags_at_creation:
            return
        found = self._tags(thing.name)
        if found is None or all(found.get(name) == value for name, value in tags.items()):
            return
        with asking(f"tagging bucket {thing.name}", self._region):
            self._client.put_bucket_tagging(
                Bucket=thing.name, Tagging={"TagSet": _tag_set({**found, **tags})}, **self._ours
            )

    def settings(self, thing: Thing) -> Iterator[Setting]:
        """See `makers.Maker.settings`."""
        assert isinstance(thing, Bucket)
        return BucketSettings(self._client, self._region, self._ours, tls=self._url.startswith("https:")).of(
            thing
        )

    def contents(self, name: str) -> str:
        """See `makers.Maker.contents`. Deleted objects whose versions are there count too, and unfinished uploads."""
        with asking(f"reading bucket {name}", self._region):
            told = self._client.list_object_versions(Bucket=name, MaxKeys=1, **self._ours)
            if told.get("Versions") or told.get("DeleteMarkers"):
                return "objects, or versions of them"
            if self._client.list_multipart_uploads(Bucket=name, MaxUploads=1, **self._ours).get("Uploads"):
                return "unfinished uploads"
        return ""

    def delete(self, name: str, say: Callable[[str], None]) -> None:
        """See `makers.Maker.delete`."""
        gone = 0
        with asking(f"emptying bucket {name}", self._region):
            while objects := self._page(name):
                told = self._client.delete_objects(
                    Bucket=name, Delete={"Objects": objects, "Quiet": True}, **self._ours
                )
                if told.get("Errors"):
                    first = told["Errors"][0]
                    raise ConnectorError(
                        f"deleting {first.get('Key')} from bucket {name}: {first.get('Code')}",
                        advice="A lock or a policy keeps it. Remove that, and run the same command again.",
                    )
                gone += len(objects)
                say(f"bucket {name}: {gone} versions of objects deleted")
            for upload in self._uploads(name):
                self._client.abort_multipart_upload(Bucket=name, **upload, **self._ours)
        with asking(f"deleting bucket {name}", self._region):
            self._client.delete_bucket(Bucket=name, **self._ours)

    def _page(self, name: str) -> list[dict[str, str]]:
        told = self._client.list_object_versions(Bucket=name, MaxKeys=_BATCH, **self._ours)
        return [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in [*told.get("Versions", ()), *told.get("DeleteMarkers", ())]
        ]

    def _uploads(self, name: str) -> Iterator[dict[str, str]]:
        for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=name, **self._ours):
            for each in page.get("Uploads", ()):
                yield {"Key": each["Key"], "UploadId": each["UploadId"]}

    def close(self) -> None:
        """The account closes the client."""


def _tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]
