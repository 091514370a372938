"""Mask secrets before anything is written down: by the name of a key, and by the look of a text."""

import re
from collections.abc import Mapping, Sequence

MASK = "•••"

_SECRET_NAME = re.compile(
    r"passw|secret|token|api_?key|authori[sz]ation|cookie|totp|tpin|\bm?pin\b|private|otp|signature",
    re.IGNORECASE,
)
# name=value, name: value and "name": "value", up to the end of the value.
_SECRET_PAIR = re.compile(
    r"""(["']?[\w-]*(?:passw\w*|secret|token|api[_-]?key|totp|tpin|mpin|otp)[\w-]*["']?\s*[=:]\s*)"""
    r"""("[^"]*"|'[^']*'|[^\s,;&}]+)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=:-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def redact(value: object) -> object:
    """Return a JSON-ready copy in which every secret is masked, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): _redact_named(str(key), item) for key, item in value.items()}
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [redact(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """Mask what looks like a secret inside running text."""
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return _SECRET_PAIR.sub(rf"\1{MASK}", text)


def _redact_named(name: str, value: object) -> object:
    return MASK if _SECRET_NAME.search(name) and value not in (None, "") else redact(value)
