"""What adapters read in any broker's answer, before its own words are judged."""

import json

from brokers.gateway import Refused, Unknown
from brokers.transport import Exchange

NOT_SENT = "NOT_SENT"


def not_sent(words: str) -> Refused:
    """Return the outcome of an order that never left the house."""
    return Refused(words, NOT_SENT)


def answer_in(exchange: Exchange) -> dict[str, object]:
    """Return the answer's JSON object, empty where it has none."""
    try:
        answer = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def unexplained(exchange: Exchange) -> Unknown:
    """Return the outcome of a write whose answer proves nothing."""
    return Unknown(f"HTTP {exchange.status} {exchange.content_type}: {exchange.text}".strip())
