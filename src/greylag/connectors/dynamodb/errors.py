"""What DynamoDB and its SDK say, as Greylag's errors. No message holds a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.errors import AuthenticationError, ConnectorError, GreylagError, SchemaError, TransientError

if TYPE_CHECKING:
    from greylag.connectors.dynamodb.wire import Answer

THROTTLES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
    }
)
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"""

_TRANSIENT: Final = frozenset(
    {"InternalServerError", "InternalFailure", "ServiceUnavailable", "RequestTimeout"}
)
_SKEWED: Final = frozenset({"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"})
_EXPIRED: Final = frozenset({"ExpiredTokenException", "ExpiredToken"})
_AUTHENTICATION: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        *_SKEWED,
        *_EXPIRED,
    }
)
_REJECTED: Final = frozenset(
    {
        "ItemCollectionSizeLimitExceededException",
        "RequestEntityTooLarge",
        "RequestEntityTooLargeException",
        "SerializationException",
        "ValidationException",
    }
)


class Fault(Exception):  # noqa: N818
    """An answer that is no success: `code` as DynamoDB names it, its message in one line."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    @property
    def throttled(self) -> bool:
        """The service asks for fewer requests."""
        return self.code in THROTTLES or self.status == 429

    @property
    def transient(self) -> bool:
        """The same request may succeed."""
        return self.status >= 500 or self.status == 408 or self.code in _TRANSIENT

    @property
    def skewed(self) -> bool:
        """Our clock and the service's differ by too much."""
        return self.code in _SKEWED or (
            self.code == "InvalidSignatureException"
            and ("Signature expired" in self.message or "not yet current" in self.message)
        )

    @property
    def expired(self) -> bool:
        """The credentials were right, and are no longer."""
        return self.code in _EXPIRED

    @property
    def rejected(self) -> bool:
        """It is the content of the request that is refused; with part of it, it may succeed."""
        return self.code in _REJECTED or self.status == 413

    def error(self, doing: str, region: str) -> GreylagError:
        """What the user is told. `doing` says which operation on what."""
        what = f"{doing}: {self.code}: {self.message}" if self.message else f"{doing}: {self.code}"
        if self.throttled or self.transient:
            return TransientError(what, advice="Run again later: what is acknowledged stays done.")
        if self.skewed:
            return AuthenticationError(what, advice="Set this machine's clock.")
        if self.code in {"AccessDenied", "AccessDeniedException", "NotAuthorized"}:
            return AuthenticationError(
                what, advice="Grant the identity this action on the table and its indexes."
            )
        if self.code in _AUTHENTICATION:
            return AuthenticationError(
                what, advice=f"Check the AWS credentials of this connection (region {region})."
            )
        if self.code == "ResourceNotFoundException":
            return SchemaError(
                what,
                advice=f"Is it the right region ({region}) and account, and was the table deleted meanwhile?",
            )
        return ConnectorError(what, advice="DynamoDB would refuse it again; the message says why.")


def fault_of(answer: Answer) -> Fault:
    """The fault in an answer whose status is not 200."""
    try:
        told: Any = orjson.loads(answer.body)
        code, message = str(told["__type"]), str(told.get("message") or told.get("Message") or "")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return Fault(answer.status, f"HTTP {answer.status}", "")
    return Fault(answer.status, code.rpartition("#")[2].partition(":")[0], one_line(message))


def one_line(message: str) -> str:
    """The first line: after it, messages about signatures repeat the request's headers, the token among them."""
    first = message.strip().partition("\n")[0]
    return first if len(first) <= 500 else first[:497] + "..."


def from_sdk(error: Exception, doing: str, region: str) -> GreylagError:
    """What boto3 or botocore raised."""
    from botocore import exceptions as sdk

    if isinstance(error, sdk.ClientError):
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        if str(told.get("Code")) == str(
            status
        ):  # the SDK's word for an answer without a code: it was cut off
            return TransientError(
                f"{doing}: an answer that says no more than {status}", advice="Run again: it goes on."
            )
        return Fault(status, str(told.get("Code")), one_line(str(told.get("Message", "")))).error(
            doing, region
        )
    if isinstance(error, sdk.NoCredentialsError | sdk.PartialCredentialsError | sdk.CredentialRetrievalError):
        return no_credentials(doing)
    if isinstance(error, sdk.SSLError):
        return ConnectorError(f"{doing}: TLS failed", advice="Check the certificate, or AWS_CA_BUNDLE.")
    if isinstance(error, sdk.IncompleteReadError):
        return TransientError(f"{doing}: the answer was cut off on its way", advice="Run again: it goes on.")
    if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError):
        return TransientError(
            f"{doing}: cannot reach {getattr(error, 'kwargs', {}).get('endpoint_url', 'DynamoDB')}",
            advice="Is the address right, and does the network lead there?",
        )
    return ConnectorError(f"{doing}: {one_line(' '.join(str(error).split()))}")


def refuse_cut_off(http_response: Any, **_: Any) -> None:
    """For a client's event `after-call`: the SDK takes an answer that ends too early, be it among its headers, for an
    empty one, or for an error without a name. Raises IncompleteReadError.

    An answer tells its length, or comes in chunks, whose end the SDK does see; one that does neither must be JSON, as
    all of DynamoDB's are.
    """
    from botocore.exceptions import IncompleteReadError

    headers, body = http_response.headers, http_response.content
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return
    told = headers.get("content-length", "")
    if told.isdecimal():
        expected, whole = int(told), len(body) >= int(told)
    else:
        expected, whole = -1, _is_json(body)
    if not whole:
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=expected)


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def no_credentials(doing: str) -> AuthenticationError:
    """Told where the SDK's chain ends without any."""
    return AuthenticationError(
        f"{doing}: no AWS credentials",
        advice="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` on the connection, "
        "or run where a role gives them.",
    )
