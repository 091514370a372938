"""What Angel One posts about orders placed with the API key: unsigned, so a hint to look."""

from collections.abc import Mapping

from brokers.adapters.angel.envelope import EnvelopeUnreadable, read_object
from brokers.postbacks import PostbackNews


def verify(body: bytes, headers: Mapping[str, str], credentials: Mapping[str, str]) -> bool | None:
    """Return None: Angel One signs nothing."""
    return None


def read(body: bytes) -> PostbackNews:
    """Read the flat order that Angel One posts.

    :raises ValueError: when it is not one, or names no order.
    """
    try:
        row = read_object(body)
    except EnvelopeUnreadable as error:
        raise ValueError("The body is no JSON object") from error
    order_id = str(row.get("orderid") or "").strip()
    if not order_id:
        raise ValueError("The body names no order")
    return PostbackNews(
        broker_order_id=order_id,
        event_type=str(row.get("orderstatus") or row.get("status") or "").strip().lower(),
        tag=str(row.get("ordertag") or "").strip(),
    )
