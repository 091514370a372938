"""What brokers send, as a JSON column takes it: secrets masked, and nothing a database refuses."""

import json

from operations.redaction import redact, redact_text


def storable(text: str) -> object:
    """Return the JSON that was sent, its fractions as text, or the text itself where it is none."""
    clean = text.replace("\\u0000", "").replace("\x00", "")
    try:
        return redact(json.loads(clean, parse_float=str, parse_constant=str))
    except (ValueError, RecursionError):
        return {"text": redact_text(clean)}
