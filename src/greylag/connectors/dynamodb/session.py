"""Who we are to AWS, and where its endpoint is: botocore's own chain decides both."""

from __future__ import annotations

import ipaddress
import ssl
from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb.errors import from_sdk, no_credentials, refuse_cut_off
from greylag.connectors.dynamodb.service import Service
from greylag.connectors.dynamodb.sign import Credentials
from greylag.connectors.dynamodb.wire import Endpoint
from greylag.errors import ConfigurationError, ConnectorError

if TYPE_CHECKING:
    from greylag.connectors.dynamodb.options import DynamoDBOptions

READERS = 16
"""How many requests of one client may be under way at once."""

_EMULATOR = Credentials("greylag", "greylag")
"""For a server on this machine, where the chain has none: emulators take any."""


class Session:
    """A connection's credentials, region and endpoint, looked up when first needed."""

    def __init__(self, name: str, options: DynamoDBOptions) -> None:
        import botocore.session
        from botocore.exceptions import BotoCoreError

        self.name = name
        self.options = options
        self._session: Any = botocore.session.Session(profile=options.profile)
        try:
            self.region = options.region or self._session.get_config_variable("region") or ""
            self._found: Any = self._session.get_credentials()
        except BotoCoreError as error:
            raise from_sdk(error, f"connection {name}", options.region or "") from None
        if not self.region:
            raise ConfigurationError(
                f"connection {name}: no region",
                advice="Write `region: us-east-1`, or set AWS_DEFAULT_REGION.",
            )
        if self._found is None and not on_this_machine(options.endpoint_url):
            raise no_credentials(f"connection {name}")

    def client(self, service: str = "dynamodb") -> Any:
        """boto3's own client of DynamoDB or `dynamodbstreams`, for everything but the hot path."""
        return self._made(service, self.options.endpoint_url or None)

    def beside(self, service: str) -> Any:
        """boto3's client of another service, with the same identity and region, at that service's own endpoint."""
        return self._made(service, None)

    def _made(self, service: str, endpoint: str | None) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        keys = self.credentials() if self._found is None else None
        try:
            client = self._session.create_client(
                service,
                region_name=self.region,
                endpoint_url=endpoint,
                aws_access_key_id=keys and keys.access_key,
                aws_secret_access_key=keys and keys.secret_key,
                config=Config(
                    connect_timeout=10,
                    read_timeout=30,
                    retries={"mode": "standard", "total_max_attempts": 5},
                    max_pool_connections=READERS,
                ),
            )
        except BotoCoreError as error:
            raise from_sdk(error, f"connection {self.name}", self.region) from None
        client.meta.events.register("after-call", refuse_cut_off)
        return client

    def credentials(self) -> Credentials:
        """Those of the moment; temporary ones are renewed in time."""
        from botocore.exceptions import BotoCoreError

        if self._found is None:
            return _EMULATOR
        try:
            frozen = self._found.get_frozen_credentials()
        except BotoCoreError as error:
            raise from_sdk(error, f"connection {self.name}", self.region) from None
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def service(self) -> Service:
        """For one writer or reader."""
        endpoint = Endpoint.parse(self._url())
        return Service(
            endpoint, self.region, self.credentials, self._tls(endpoint), self.options.patience_seconds
        )

    def _url(self) -> str:
        if self.options.endpoint_url:
            return self.options.endpoint_url
        client = self.client()
        try:
            return str(client.meta.endpoint_url)
        finally:
            client.close()

    def _tls(self, endpoint: Endpoint) -> ssl.SSLContext | None:
        if endpoint.scheme != "https":
            return None
        from botocore.httpsession import get_cert_path

        bundle = self._session.get_config_variable("ca_bundle") or get_cert_path(True)
        try:
            return ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise ConnectorError(
                f"connection {self.name}: cannot read the certificates in {bundle}: {error.strerror}",
                advice="Mend AWS_CA_BUNDLE or `ca_bundle` of the profile.",
            ) from error


def on_this_machine(url: str) -> bool:
    """Whether the address is one of the loopback interface."""
    if not url:
        return False
    name = Endpoint.parse(url).name
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
