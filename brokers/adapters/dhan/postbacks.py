"""Dhan's postbacks: unsigned, so a hint and nothing more; the order is fetched afterwards."""

import json
import re
from collections.abc import Mapping

from brokers.postbacks import PostbackNews

_FIELD = r'"{name}"\s*:\s*"?([\w.-]+)"?'


def verify(body: bytes, headers: Mapping[str, str], credentials: Mapping[str, str]) -> bool | None:
    """Return None: Dhan signs nothing."""
    return None


def read(body: bytes) -> PostbackNews:
    """Read which order is meant. The sample in Dhan's own pages is no valid JSON (a field without
    its value), so the three fields wanted are looked for one by one where the whole fails.

    :raises ValueError: when it names no order.
    """
    text = body.decode("utf-8", "replace")
    fields = _fields(text)
    if not fields.get("orderId"):
        raise ValueError("A postback that names no order")
    return PostbackNews(
        fields["orderId"], fields.get("orderStatus", ""), fields.get("correlationId", "")
    )


def _fields(text: str) -> dict[str, str]:
    names = ("orderId", "orderStatus", "correlationId")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        found = {name: re.search(_FIELD.format(name=name), text) for name in names}
        return {name: match[1] for name, match in found.items() if match}
    if not isinstance(told, dict):
        raise ValueError("A postback that is not an order")
    return {name: str(told[name]) for name in names if told.get(name)}
