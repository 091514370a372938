"""What the paper broker asks of the house above it: sessions, bands, last prices, charges.

The paper broker stands two floors below the calendar and the charge tables, as a real broker
stands outside the house. The site installs one :class:`Venue` at start-up.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from brokers.gateway import InstrumentRef
from brokers.terms import Product, Side

IST = ZoneInfo("Asia/Kolkata")


class Phase(StrEnum):
    """Where an exchange's day stands."""

    CLOSED = "CLOSED"
    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    CLOSING_PAUSE = "CLOSING_PAUSE"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    POST_CLOSE = "POST_CLOSE"


@dataclass(frozen=True, slots=True)
class PriceBand:
    lower: Decimal
    upper: Decimal


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an expired contract's position ends at, for each unit, and what that is charged."""

    price: Decimal
    charges: Decimal


class Venue(Protocol):
    def phase(self, instrument: InstrumentRef, at: datetime) -> Phase:
        """:raises CalendarUnknown: where the calendar does not reach."""
        ...

    def session_date(self, instrument: InstrumentRef, at: datetime) -> date:
        """The trading day that a moment belongs to (the next one, when closed)."""
        ...

    def square_off_time(self, instrument: InstrumentRef, on: date) -> time | None:
        """When intraday positions are closed by force (IST); None where there are none."""
        ...

    def settles_on(self, instrument: InstrumentRef, traded_on: date) -> date: ...

    def price_band(self, instrument: InstrumentRef, on: date) -> PriceBand | None: ...

    def last_price(self, instrument: InstrumentRef) -> Decimal | None:
        """The last price anybody told of it; margins are judged by it, fills never are."""
        ...

    def charges(
        self,
        instrument: InstrumentRef,
        *,
        side: Side,
        product: Product,
        quantity: int,
        turnover: Decimal,
        on: date,
    ) -> Decimal:
        """All charges on one order's cumulative fills, in rupees, rounded to the paisa.

        :raises ChargesUnknown: where no rate is on file for that day.
        """
        ...

    def settlement(
        self, instrument: InstrumentRef, *, quantity: int, workspace_id: UUID
    ) -> Settlement | None:
        """How the exchange ends a signed position of an expired contract; None: not known yet."""
        ...


class CalendarUnknown(Exception):
    """No calendar for that day: the session is refused, not guessed."""


class ChargesUnknown(Exception):
    """No rate is on file for that day: the cost is refused, not guessed."""


class VenueMissing(Exception):
    """The site did not install a venue."""


_installed: list[Venue] = []


def install_venue(venue: Venue) -> None:
    _installed[:] = [venue]


def installed_venue() -> Venue:
    if not _installed:
        raise VenueMissing("No venue is installed: the site does it at start-up")
    return _installed[0]
