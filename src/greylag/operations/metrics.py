"""What `--metrics-addr` serves: the state of a run in Prometheus's text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.progress import Snapshot

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_LOOPBACK: Final = "127.0.0.1"
_HIGHEST_PORT: Final = 65535

_OF_FLOWS: Final = {
    "records_read_total": ("counter", "Records read by the load.", "records_read"),
    "items_written_total": ("counter", "Items written by the load.", "items_written"),
    "records_quarantined": ("gauge", "Records of the load that stand in quarantine.", "records_quarantined"),
}
_OF_STREAMS: Final = {
    "changes_captured_total": (
        "counter",
        "Changes spooled since capture was started.",
        "changes_captured",
        1,
    ),
    "changes_applied_total": ("counter", "Changes applied.", "changes_applied", 1),
    "changes_behind": ("gauge", "Entries of the spool that are not applied yet.", "changes_behind", 1),
    "keys_waiting": (
        "gauge",
        "States held back until an earlier write can no longer land.",
        "keys_waiting",
        1,
    ),
    "records_stale": ("gauge", "Records that could not be carried while following.", "records_stale", 1),
    "captured_until_seconds": (
        "gauge",
        "The source's time up to which all is spooled.",
        "captured_until_ms",
        1000,
    ),
    "applied_until_seconds": (
        "gauge",
        "The source's time up to which all is applied.",
        "applied_until_ms",
        1000,
    ),
    "spool_bytes": ("gauge", "What the spool takes on disk.", "spool_bytes", 1),
    "spool_limit_bytes": ("gauge", "What the spool may take.", "spool_limit_bytes", 1),
    "history_seconds": ("gauge", "How long the source keeps what is not spooled yet.", "history_seconds", 1),
}
_LAG: Final = (("0.5", "lag_p50_ms"), ("0.99", "lag_p99_ms"), ("1", "lag_max_ms"))


def exposition(snapshot: Snapshot) -> str:
    """The snapshot as metrics; what is not known is left out."""
    lines: list[str] = []

    def family(name: str, kind: str, text: str, samples: list[tuple[dict[str, str], float | None]]) -> None:
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            lines.append(f"# HELP greylag_{name} {text}")
            lines.append(f"# TYPE greylag_{name} {kind}")
            lines.extend(f"greylag_{name}{_labels(labels)} {value:.15g}" for labels, value in known)

    for name, (kind, text, attribute) in _OF_FLOWS.items():
        family(name, kind, text, [({"flow": each.flow}, getattr(each, attribute)) for each in snapshot.flows])
    family(
        "flow_stage",
        "gauge",
        "1 for the stage that a flow is in.",
        [({"flow": each.flow, "stage": each.stage}, 1) for each in snapshot.flows],
    )
    for name, (kind, text, attribute, unit) in _OF_STREAMS.items():
        family(
            name,
            kind,
            text,
            [({"stream": each.stream}, _in(getattr(each, attribute), unit)) for each in snapshot.streams],
        )
    family(
        "lag_seconds",
        "gauge",
        "From a write at the source to its acknowledgement at the target, of the last five minutes.",
        [
            ({"stream": each.stream, "quantile": quantile}, _in(getattr(each, attribute), 1000))
            for each in snapshot.streams
            for quantile, attribute in _LAG
        ],
    )
    return "\n".join([*lines, ""])


@contextmanager
def serving(address: str | None, snapshot: Callable[[], Snapshot]) -> Iterator[str | None]:
    """Serves /metrics at `address` ("host:port", or ":port" on this machine's loopback; None: not at all); the address
    with the port that was taken. Raises ConfigurationError where that cannot be.
    """
    if address is None:
        yield None
        return
    host, port = parse_address(address)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in {"/", "/metrics"}:
                self.send_error(404)
                return
            body = exposition(snapshot()).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing of requests."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise ConfigurationError(
            f"cannot serve metrics at {address}: {error.strerror or error}",
            advice="Give --metrics-addr another port.",
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="greylag-metrics")
    thread.start()
    try:
        yield f"{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of "host:port" or ":port"; without a host this machine's loopback."""
    host, found, port = address.rpartition(":")
    if not found or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ConfigurationError(
            f"{address!r} is no address to serve metrics at",
            advice="Write --metrics-addr 127.0.0.1:9464 or :9464.",
        )
    return host.strip("[]") or _LOOPBACK, int(port)


def _in(value: float | None, unit: int) -> float | None:
    return None if value is None else value / unit if unit != 1 else value


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
