"""What a broker can do on one segment: declared, so that nothing is discovered by an error."""

from dataclasses import dataclass
from enum import StrEnum

from brokers.terms import OrderType, Product, Segment, Validity


class MarketHandling(StrEnum):
    """What becomes of a market order at the broker."""

    RAW = "RAW"  # sent to the exchange as it is
    PROTECTED = "PROTECTED"  # becomes a limit at a protected price, and may rest
    REFUSED = "REFUSED"


class TriggerKind(StrEnum):
    """A good-till-triggered order: one trigger, or two of which one cancels the other."""

    SINGLE = "SINGLE"
    OCO = "OCO"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a broker can do on one segment; asked before sending, never discovered by an error.

    ``modify_limit`` is how often one order may be changed; None where the broker tells no number.
    ``brackets`` are the products CO and BO, where the broker takes such orders.
    """

    order_types: frozenset[OrderType]
    products: frozenset[Product]
    validities: frozenset[Validity]
    amo: bool = False
    modifies: bool = True
    disclosed_quantity: bool = False
    market: MarketHandling = MarketHandling.PROTECTED
    triggers: frozenset[TriggerKind] = frozenset()
    brackets: frozenset[Product] = frozenset()
    slices: bool = False
    modify_limit: int | None = None


# Brokers count them in lots whose size their lists do not tell, and their hours, holidays and
# charges are not kept here: no adapter declares them.
NOT_OFFERED = frozenset({Segment.MCX_COMM, Segment.CDS_FUT})


def why_not(segment: Segment, *, broker: str) -> str:
    """Say why nothing can be traded on a segment for which a broker declares nothing."""
    if segment in NOT_OFFERED:
        return f"{segment.label} is not offered in Pinnacle yet, at any broker"
    return f"{broker} does not trade {segment.label}"
