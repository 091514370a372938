"""Kite's postbacks: signed with the app's secret, but only over the order's id and time.

What the checksum does not cover may have been changed, and an old one may come again: a postback
is a reason to fetch the order, nothing more.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

from brokers.adapters.kite import words
from brokers.postbacks import PostbackNews
from brokers.values import Row, required, text


def verify(body: bytes, headers: Mapping[str, str], credentials: Mapping[str, str]) -> bool | None:
    """Tell whether the checksum is Kite's; a body or a connection without one is not believed."""
    secret = credentials.get("api_secret", "")
    row = _row(body)
    order_id, told_at = _as_sent(row, "order_id"), _as_sent(row, "order_timestamp")
    expected = hashlib.sha256(f"{order_id}{told_at}{secret}".encode()).hexdigest()
    told = _as_sent(row, "checksum")
    return bool(secret) and hmac.compare_digest(expected.encode(), told.encode())


def read(body: bytes) -> PostbackNews:
    """:raises ValueError: when it is not what Kite posts."""
    row = _row(body)
    return PostbackNews(required(row, "order_id"), text(row.get("status")), words.tag_of(row))


def _as_sent(row: Row, name: str) -> str:
    """The signature is over the characters that were sent, whatever they are."""
    return "" if row.get(name) is None else str(row[name])


def _row(body: bytes) -> Row:
    try:
        row = json.loads(body)
    except RecursionError as error:
        raise ValueError("A postback that cannot be read") from error
    if not isinstance(row, dict):
        raise ValueError("A postback that is not an order")
    return row
