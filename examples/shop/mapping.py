"""The shop's images move from its own disk to a CDN: their addresses are rewritten on the way, and back.

`python:` of the flow `products` names `to_cdn`. It sees a record's fields before any template does; a record
for which it raises goes to quarantine.
"""

from __future__ import annotations

from typing import Any

UPLOADS = "/uploads/"
CDN = "https://cdn.example.com/uploads/"


def to_cdn(record: dict[str, Any]) -> dict[str, Any]:
    """The product with its images on the CDN. Addresses elsewhere stay as they are.

    Raises ValueError for an image that is at the CDN's address already: `from_cdn` would not give it back.
    """
    if any(isinstance(image, str) and image.startswith(CDN) for image in _images(record)):
        raise ValueError("one of the images is at the CDN's address already")
    return _rewritten(record, UPLOADS, CDN)


def from_cdn(record: dict[str, Any]) -> dict[str, Any]:
    """The product as the shop had it."""
    return _rewritten(record, CDN, UPLOADS)


def _images(record: dict[str, Any]) -> list[Any]:
    images = record.get("images")
    return images if isinstance(images, list) else []


def _rewritten(record: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    if not _images(record):
        return record
    return {**record, "images": [_moved(image, old, new) for image in _images(record)]}


def _moved(image: Any, old: str, new: str) -> Any:
    return new + image.removeprefix(old) if isinstance(image, str) and image.startswith(old) else image
