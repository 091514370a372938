"""What a contract comes to when it expires: a plain rule, the same for every account.

Index contracts end in cash: an option at its intrinsic value, a future at the final price; exactly
at the strike nothing is exercised. A future on a share is marked to the final price in cash and the
shares change hands at it. An option on a share that is in the money becomes shares at its strike,
for their full value: the premium is its own result and the contract ends at nothing. Sources: NSE
Clearing circular 67/2018 (physical settlement), NSE/FATAX/73524 (securities transaction tax), and
the practice of contract notes that shares taken cost the strike.
"""

from dataclasses import dataclass
from decimal import Decimal

from brokers.terms import InstrumentType

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides how a contract ends."""

    kind: InstrumentType
    is_on_index: bool
    strike: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Shares to take (+) or to give (−), each at ``price``."""

    quantity: int
    price: Decimal

    @property
    def value(self) -> Decimal:
        return abs(self.quantity) * self.price


@dataclass(frozen=True, slots=True)
class Outcome:
    """The price at which the contract's position ends, and the shares that it leaves."""

    price: Decimal
    delivery: Delivery | None = None


class TermsUnknown(Exception):
    """The contract lacks what its value depends on; nothing is settled."""


def intrinsic_value(terms: Terms, final: Decimal) -> Decimal:
    """Return what an option is worth at the final price of what it is on; never below nothing.

    :raises TermsUnknown: when it has no strike.
    """
    if terms.strike is None:
        raise TermsUnknown("The option's strike is not known")
    ahead = final - terms.strike
    return max(ahead if terms.kind is InstrumentType.CE else -ahead, NOTHING)


def outcome(terms: Terms, *, quantity: int, final: Decimal) -> Outcome:
    """Return how a position of a signed quantity (short is negative) ends.

    :raises TermsUnknown: when an option has no strike.
    """
    if terms.kind is InstrumentType.FUT:
        taken = None if terms.is_on_index else Delivery(quantity, final)
        return Outcome(final, taken)
    value = intrinsic_value(terms, final)
    if terms.is_on_index or not value or terms.strike is None:
        return Outcome(value if terms.is_on_index else NOTHING)
    direction = 1 if terms.kind is InstrumentType.CE else -1
    return Outcome(NOTHING, Delivery(quantity * direction, terms.strike))
