"""Several reasons as one text."""

from collections.abc import Iterable


def as_sentences(reasons: Iterable[str]) -> str:
    """Join reasons with one stop between two; the last one ends as it was given."""
    text = ""
    for reason in reasons:
        text = f"{text.rstrip('.')}. {reason}" if text else reason
    return text
