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


def verify(body: bytes, headers: Mapping[str, str], credentials: Mapping[str, str]) -> bool | None:
    """Tell whether the checksum is Kite's; a body or a connection without one is not believed."""
    secret = credentials.get("api_secret", "")
    row = _row(body)
    order_id, told_at = words.text(row.get("order_id")), words.text(row.get("order_timestamp"))
    expected = hashlib.sha256(f"{order_id}{told_at}{secret}".encode()).hexdigest()
    told = words.text(row.get("checksum"))
    return bool(secret) and hmac.compare_digest(expected.encode(), told.encode())


def read(body: bytes) -> PostbackNews:
    """:raises ValueError: when it is not what Kite posts."""
    row = _row(body)
    order_id = words.text(row.get("order_id")).strip()
    if not order_id:
        raise ValueError("A postback that names no order")
    return PostbackNews(order_id, words.text(row.get("status")), words.tag_of(row))


def _row(body: bytes) -> words.Row:
    try:
        row = json.loads(body)
    except RecursionError as error:
        raise ValueError("A postback that cannot be read") from error
    if not isinstance(row, dict):
        raise ValueError("A postback that is not an order")
    return row
