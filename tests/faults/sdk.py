"""boto3 clients without reading the SDK's descriptions of its services anew for each."""

from __future__ import annotations

import functools
from typing import Any

import boto3
import botocore.loaders


@functools.cache
def read_once() -> None:
    """From now on each file of the SDK is read once in this process and those forked from it; some are read now."""
    loader: Any = botocore.loaders.JSONFileLoader
    loader.load_file = staticmethod(functools.cache(loader().load_file))
    for service in ("dynamodb", "dynamodbstreams"):
        boto3.client(service, "us-east-1", aws_access_key_id="x", aws_secret_access_key="x").close()
