"""What a queue costs a month."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import SECONDS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account

CHUNK_BYTES: Final = 64 * 1024
"""A request for each so many bytes begun. Source: https://aws.amazon.com/sqs/pricing/"""

POLLERS, POLL_SECONDS = 5, 20
"""How many a function's queue has while it is idle, and how long each waits for a message.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""


def queue(
    account: Account,
    name: str,
    *,
    messages: Decimal,
    message_bytes: int,
    fifo: bool = False,
    polled: bool = False,
) -> Bill:
    """Each message is sent, received and deleted by itself, which batches make fewer. `polled`: a function waits for
    messages, and that is paid too.
    """
    chunks = -(-message_bytes // CHUNK_BYTES)
    requests = messages * (2 * chunks + 1)
    waiting = Decimal(POLLERS * SECONDS // POLL_SECONDS) if polled else Decimal(0)
    worked = f"{number(messages)} messages x (sent {chunks} + received {chunks} + deleted 1)"
    if polled:
        worked += f" + {number(waiting)} of {POLLERS} pollers that wait {POLL_SECONDS} s"
    return Bill(
        (
            account.line(
                f"{name}: requests", "sqs", "fifo" if fifo else "standard", requests + waiting, worked
            ),
        )
    )
