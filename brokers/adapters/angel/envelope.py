"""The shape around every answer of SmartAPI. Pure: bytes in, a frozen message out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from brokers.transport import Exchange

# Documented in both wordings.
_RATE_WORDS = ("exceeding access rate", "exceeding rate limit")
_FORBIDDEN = 403
_NOTHING = frozenset({"", "null", "none"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer. ``has_data`` tells an answer without data from one whose data is null."""

    is_ok: bool
    code: str
    message: str
    data: Any
    has_data: bool


class EnvelopeUnreadable(Exception):
    """The answer is not SmartAPI's JSON: it proves nothing."""


def read_envelope(body: bytes) -> Envelope:
    """Read either of the two shapes SmartAPI answers in; numbers become exact Decimals.

    :raises EnvelopeUnreadable: for HTML, half an answer, or JSON of another shape.
    """
    return as_envelope(read_object(body))


def read_object(body: bytes) -> dict[str, Any]:
    """:raises EnvelopeUnreadable: when the body is not one JSON object."""
    try:
        found = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EnvelopeUnreadable("The answer is not JSON") from error
    if not isinstance(found, dict):
        raise EnvelopeUnreadable("The answer is JSON of another shape")
    return found


def as_envelope(found: Mapping[str, Any]) -> Envelope:
    """Accept ``status``/``errorcode`` and ``success``/``errorCode``, booleans or their names.

    :raises EnvelopeUnreadable: when it says neither success nor failure.
    """
    said = found.get("status", found.get("success"))
    word = str(said).strip().lower()
    if word not in ("true", "false"):
        raise EnvelopeUnreadable("The answer says neither success nor failure")
    code = _word(found.get("errorcode", found.get("errorCode")))
    data = found.get("data")
    return Envelope(
        is_ok=word == "true" and not code,
        code=code,
        message=_word(found.get("message")),
        data=None if data == "null" else data,
        has_data="data" in found,
    )


def is_rate_limited(exchange: Exchange) -> bool:
    """Tell SmartAPI's 403 for too many calls, whose body is words and no JSON."""
    said = exchange.text.lower()
    return exchange.status == _FORBIDDEN and any(words in said for words in _RATE_WORDS)


def _word(value: object) -> str:
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in _NOTHING else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
