"""Files of the price list, line by line as a server sends them, and whole or not at all."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.errors import ConfigurationError, SourceDataError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 60
"""How long a connection may be silent."""

_UNCHANGED: Final = 304
_ABSENT: Final = (403, 404)
"""What the store behind the price list answers for a file that it does not have."""


class Absent(Exception):  # noqa: N818
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A file on its way. `etag` is the server's name for this version of it, if it has one."""

    address: str
    etag: str | None
    _response: Any

    def lines(self) -> Iterator[str]:
        """Each once. Raises SourceDataError where the file ends before its end, or is not text, TransientError where
        the connection breaks.
        """
        said = self._response.headers.get("Content-Length")
        size = 0
        try:
            for line in self._response:
                size += len(line)
                yield line.decode("utf-8")
        except UnicodeDecodeError:
            raise SourceDataError(f"{self.address} is not text") from None
        except (OSError, http.client.HTTPException) as error:
            raise _away(self.address, error) from error
        if said is not None and size != int(said):  # http.client ends silently where the connection does
            raise SourceDataError(
                f"{self.address} was cut off: {size:,} of {int(said):,} bytes came",
                advice="Try again; nothing was kept.",
            )


@contextmanager
def fetched(address: str, etag: str | None) -> Iterator[Answer | None]:
    """The file; None where it is still the version `etag`. Raises Absent where there is none, TransientError where the
    server is away, SourceDataError for any other answer, ConfigurationError for what is no address.
    """
    if not address.startswith(("https://", "http://")):
        raise ConfigurationError(
            f"{address.partition('/offers/')[0]!r} is no address of a price list",
            advice="It begins with https:// or http://.",
        )
    request = urllib.request.Request(address, headers={"If-None-Match": etag} if etag else {})  # noqa: S310
    try:
        response = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _UNCHANGED and etag:
            yield None
            return
        if error.code in _ABSENT:
            raise Absent(address) from None
        if error.code >= http.client.INTERNAL_SERVER_ERROR or error.code == http.client.TOO_MANY_REQUESTS:
            raise TransientError(f"{address} answered {error.code}", advice="Try again later.") from error
        raise SourceDataError(f"{address} answered {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _away(address, error) from error
    with response:
        yield Answer(address, response.headers.get("ETag"), response)


def _away(address: str, error: Exception) -> TransientError:
    return TransientError(
        f"{address} cannot be reached: {error}",
        advice="--refresh needs the internet, or a mirror (--price-list); try again later.",
    )
