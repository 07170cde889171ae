"""Moments in ISO 8601 text, as YAML and JSON write dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from greylag.core.canonical import EPOCH

_MICROSECOND = timedelta(microseconds=1)


def moment(text: str, *, zone: bool = False) -> datetime | None:
    """The moment `text` names, in UTC; None where it is not an ISO 8601 date with dashes, with or without a
    time.

    A text without a zone is taken as UTC; with `zone` it must name its zone.
    """
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            return None if zone else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def microseconds(when: date) -> int:
    """Microseconds since 1970 of a datetime (UTC where it has no zone) or of a day's midnight, UTC."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    elif when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - EPOCH) // _MICROSECOND
