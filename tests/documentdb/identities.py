"""Signing in as an AWS identity: the server's half of MONGODB-AWS.

The server puts 32 bytes of its own behind the client's 32; the client answers with the signature (version 4) of a call
of STS, GetCallerIdentity, that has them in a header. DocumentDB lets STS look at it; here it is computed again from the
secret.

Source: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#mongodb-aws
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/iam-identity-auth.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import bson

if TYPE_CHECKING:
    from collections.abc import Sequence

MECHANISM: Final = "MONGODB-AWS"
_HOST: Final = "sts.eu-west-1.amazonaws.com"
_REGION: Final = "eu-west-1"
_CALL: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>\S+), SignedHeaders=(?P<headers>\S+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Identity:
    """A user, or with a token a role's session."""

    key: str
    secret: str
    token: str | None = None


class NotAcceptedError(Exception):
    """Whoever answered is none of the identities."""


class Conversation:
    """One connection's. `identity` is None until it has been proved."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self.identity: Identity | None = None
        self._known = {each.key: each for each in identities}
        self._nonce = b""

    def begin(self, payload: bytes) -> bytes:
        """What the client's first message is answered with."""
        told = bson.decode(payload)
        assert len(told["r"]) == 32
        assert told["p"] == ord("n")  # no channel binding
        self._nonce = bytes(told["r"]) + os.urandom(32)
        return bson.encode({"s": self._nonce, "h": _HOST})

    def end(self, payload: bytes) -> None:
        """Raises NotAcceptedError where the second message proves nothing."""
        told = bson.decode(payload)
        found = _AUTHORIZATION.fullmatch(told["a"])
        assert found is not None, "no signature of version 4"
        identity = self._known.get(found["key"])
        if identity is None or told.get("t") != identity.token:
            raise NotAcceptedError
        date = told["d"]
        assert found["scope"] == f"{date[:8]}/{_REGION}/sts/aws4_request"
        if not hmac.compare_digest(self._signature(identity, date, found["headers"]), found["signature"]):
            raise NotAcceptedError
        self.identity = identity

    def _signature(self, identity: Identity, date: str, signed: str) -> str:
        headers = {
            "content-length": str(len(_CALL)),
            "content-type": "application/x-www-form-urlencoded",
            "host": _HOST,
            "x-amz-date": date,
            **({} if identity.token is None else {"x-amz-security-token": identity.token}),
            "x-mongodb-gs2-cb-flag": "n",
            "x-mongodb-server-nonce": base64.b64encode(self._nonce).decode(),
        }
        assert signed == ";".join(headers), "all of these headers are signed, and no other"
        lines = [f"{name}:{value}" for name, value in headers.items()]
        request = "\n".join(["POST", "/", "", *lines, "", signed, hashlib.sha256(_CALL).hexdigest()])
        scope = f"{date[:8]}/{_REGION}/sts/aws4_request"
        key = f"AWS4{identity.secret}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        hashed = hashlib.sha256(request.encode()).hexdigest()
        return _hmac(key, f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}").hex()


def answer(payload: bytes, *, done: bool) -> dict[str, Any]:
    """What saslStart and saslContinue are answered with."""
    return {"conversationId": 1, "done": done, "payload": payload, "ok": 1.0}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
