"""Identifiers: UUIDv7 for what a person names, 20-character tags for what a broker echoes."""

import secrets
import uuid
from datetime import datetime

import uuid_utils.compat

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
TAG_LENGTH = 20


def new_id() -> uuid.UUID:
    """Return a UUIDv7: unique, and sorted by the time it was made."""
    return uuid_utils.compat.uuid7()


def new_order_tag(now: datetime) -> str:
    """Return an order's own tag: 20 characters of [0-9A-Z], accepted by every broker we know.

    One version character, nine of base32 milliseconds, ten random (50 bits). Never derived
    from a user's text and never used twice.
    """
    milliseconds = int(now.timestamp() * 1000)
    return "P" + _base32(milliseconds, 9) + _base32(secrets.randbits(50), 10)


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
