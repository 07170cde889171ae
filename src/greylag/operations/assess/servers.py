"""What the server or the files behind a dataset mean for a move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.core.inventory import Inventory
    from greylag.core.ports import DatasetInfo

SHORT_WINDOW_SECONDS: Final = 24 * 3600


def server_findings(info: DatasetInfo, inventory: Inventory, *, name: str) -> Iterator[Finding]:
    """Change streams (law 8), and the options of a collection that a table has nothing like."""
    yield from change_findings(info, inventory, name=name)
    yield from _options(inventory.options, name)


def change_findings(info: DatasetInfo, inventory: Inventory, *, name: str) -> Iterator[Finding]:
    """Whether what changes during a move can be followed, and for how long (law 8)."""
    if inventory.topology == "standalone":
        yield Finding(
            Severity.WARNING,
            "standalone-server",
            name,
            "the server stands alone: it keeps no oplog, so changes made during the move cannot be followed",
            "Restart it as a replica set of one member (--replSet, then rs.initiate()), or freeze writes for the move.",
        )
    elif not info.resumable_changes:
        yield Finding(
            Severity.WARNING,
            "no-change-stream",
            name,
            "the source has no change stream: what is written while it is moved is not seen",
            "Let nothing write there from the start of `run` until the cutover.",
        )
    window = inventory.change_window_seconds
    if window is not None and window < SHORT_WINDOW_SECONDS and inventory.server.startswith("Amazon"):
        yield Finding(
            Severity.NOTE,
            "short-change-window",
            name,
            f"DocumentDB keeps changes for {window / 3600:.1f} h: the connection's change_stream_retention_hours",
            "A load, or a pause in it, that takes longer loses its place. Set change_stream_log_retention_duration of "
            "the cluster's parameter group (up to 7 days), and change_stream_retention_hours to the same.",
        )
    elif window is not None and window < SHORT_WINDOW_SECONDS:
        yield Finding(
            Severity.NOTE,
            "short-change-window",
            name,
            f"the oplog reaches back {window / 3600:.1f} h",
            "A load, or a pause in it, that takes longer loses its place. Enlarge the oplog (replSetResizeOplog), "
            "unless it is short because the server is young.",
        )


def _options(options: Mapping[str, Any], name: str) -> Iterator[Finding]:
    if options.get("capped"):
        yield Finding(
            Severity.WARNING,
            "capped-collection",
            name,
            "a capped collection: its oldest documents make room for new ones, in the order they were written",
            "A table keeps neither that order nor that size. Order by a sort key, and let items expire with `ttl:`.",
        )
    if options.get("validator"):
        yield Finding(
            Severity.NOTE,
            "validator",
            name,
            "the collection has validation rules; DynamoDB keeps none",
            "Validate in the application, before it writes.",
        )
    if options.get("collation"):
        yield _collation(name, "the collection compares text by a collation")


def _collation(name: str, message: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "collation",
        name,
        f"{message}; DynamoDB compares bytes",
        "Make keys of a normal form of the text (`{field|lower}`) and let the application ask for that form.",
    )
