"""What is not JSON, and where."""

from __future__ import annotations


class Malformed(Exception):  # noqa: N818 - becomes a SourceDataError once file and row are known
    """The bytes are not JSON from `offset` (absolute, in the decompressed stream) on; `reason` says why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason
