"""What stands between clients and programs: APIs, load balancers, the firewall, the CDN."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import GB, HOURS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account

HTTP_BYTES: Final = 512 * 1024
MESSAGE_BYTES: Final = 32 * 1024
"""One request and one message are metered for each so many bytes begun.

Source: https://aws.amazon.com/api-gateway/pricing/
"""

LCU_CONNECTIONS, LCU_OPEN, LCU_EVALUATIONS, LCU_FREE_RULES = 25, 3_000, 1_000, 10
"""What one unit of a load balancer's load carries for an hour, beside 1 GB: new connections a second, connections open
at a time, rules evaluated a second, of which each request's first ten are free.

Source: https://aws.amazon.com/elasticloadbalancing/pricing/
"""

WEB_ACL_RULES: Final = 4
"""Of the firewall that Greylag renders: a rate and three groups of AWS's own rules."""


def http_api(account: Account, name: str, *, requests: Decimal, request_bytes: int = 1) -> Bill:
    """An HTTP API: by the request, each 512 KB begun."""
    metered = (requests * request_bytes / HTTP_BYTES).to_integral_value(ROUND_CEILING)
    return Bill((account.line(f"{name}: requests", "apigateway", "http-request", max(requests, metered)),))


def websocket_api(
    account: Account, name: str, *, messages: Decimal, message_bytes: int, minutes: Decimal
) -> Bill:
    """A WebSocket API: by the message, each 32 KB begun, and the minute of a connection."""
    return Bill(
        (
            account.line(
                f"{name}: messages",
                "apigateway",
                "websocket-message",
                messages * -(-message_bytes // MESSAGE_BYTES),
            ),
            account.line(f"{name}: connections", "apigateway", "websocket-minute", minutes),
        )
    )


def load_balancer(
    account: Account,
    name: str,
    *,
    requests: Decimal,
    transfer_gb: Decimal,
    connections: Decimal | None = None,
    connection_seconds: int = 0,
    rules: int = 0,
    hours: int = HOURS,
) -> Bill:
    """An application load balancer: by the hour, and by the largest of what its load counts. Each request opens a
    connection unless `connections` says how many are opened; each stays open for `connection_seconds`.

    Source: https://aws.amazon.com/elasticloadbalancing/pricing/
    """
    opened = requests if connections is None else connections
    units = max(
        opened / LCU_CONNECTIONS / 3600,
        opened * connection_seconds / LCU_OPEN / 3600,
        transfer_gb,
        requests * max(0, rules - LCU_FREE_RULES) / LCU_EVALUATIONS / 3600,
    )
    return Bill(
        (
            account.line(f"{name}: load balancer", "elb", "alb-hour", Decimal(hours), f"{hours} hours"),
            account.line(
                f"{name}: its load",
                "elb",
                "lcu-hour",
                units,
                f"the largest of {number(opened)} connections / {LCU_CONNECTIONS} a second, those open at a time / "
                f"{LCU_OPEN:,}, {number(transfer_gb)} GB an hour, rules evaluated / {LCU_EVALUATIONS:,} a second",
            ),
        )
    )


def firewall(account: Account, name: str, *, requests: Decimal, rules: int = WEB_ACL_RULES) -> Bill:
    """A web ACL of AWS WAF with rules or groups of rules."""
    return Bill(
        (
            account.line(f"{name}: web ACL", "waf", "web-acl", Decimal(1)),
            account.line(f"{name}: rules", "waf", "rule", Decimal(rules)),
            account.line(f"{name}: requests inspected", "waf", "request", requests),
        )
    )


def cdn(account: Account, name: str, *, requests: Decimal, answer_bytes: int) -> Bill:
    """CloudFront to the United States and Europe; what it fetches from AWS is free."""
    return Bill(
        (
            account.line(f"{name}: CDN requests", "cloudfront", "https-request", requests),
            account.line(
                f"{name}: CDN transfer",
                "cloudfront",
                "transfer",
                requests * answer_bytes / GB,
                f"{number(requests)} answers of {answer_bytes:,} B",
            ),
        )
    )
