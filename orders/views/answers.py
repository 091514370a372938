"""How a change asked for on a page is answered."""

import re
import uuid
from collections.abc import Iterable

from orders.states import OrderStatus

STATE = re.compile(r"(?<=the order is )[A-Z_]+")


def valid_ids(texts: Iterable[str]) -> list[uuid.UUID]:
    """Keep what reads as an id: whatever else an address holds names nothing."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def in_words(refusal: object) -> str:
    """Name the state in a lifecycle's refusal as the pages do: filled, not FILLED."""
    return STATE.sub(_label, str(refusal))


def _label(found: re.Match[str]) -> str:
    return OrderStatus(found[0]).label.lower() if found[0] in OrderStatus.values else found[0]
