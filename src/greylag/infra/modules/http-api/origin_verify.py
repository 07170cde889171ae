"""Lambda authorizer: is this request from our CloudFront distribution?

DIGESTS holds the SHA-256 of each accepted secret, so that the function's settings do not show the secret itself.
"""

import hashlib
import hmac
import os
from typing import Any

HEADER = os.environ["HEADER"]
DIGESTS = os.environ["DIGESTS"].split(",")


def handler(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Payload format 2.0, simple response. Header names arrive in lower case."""
    given = hashlib.sha256(event.get("headers", {}).get(HEADER, "").encode()).hexdigest()
    return {"isAuthorized": any(hmac.compare_digest(given, digest) for digest in DIGESTS)}
