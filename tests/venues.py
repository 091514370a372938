"""A small deterministic venue: weekdays 09:15 to 15:30 in Kolkata, flat charges, no holidays."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from brokers.gateway import InstrumentRef
from brokers.terms import Product, Side
from brokers.venue import IST, CalendarUnknown, Phase, PriceBand, Settlement

_PHASES = (
    (time(9, 0), Phase.CLOSED),
    (time(9, 15), Phase.PRE_OPEN),
    (time(15, 30), Phase.OPEN),
    (time(16, 0), Phase.POST_CLOSE),
)


@dataclass(slots=True)
class WeekdayVenue:
    """Charges are 0.03 % of the turnover; the calendar ends on ``known_until``."""

    prices: dict[str, Decimal] = field(default_factory=dict)
    band: PriceBand | None = None
    square_off: time | None = time(15, 15)
    closing_auction: bool = False
    known_until: date = date(2030, 1, 1)
    settlements: dict[str, Settlement] = field(default_factory=dict)

    def phase(self, instrument: InstrumentRef, at: datetime) -> Phase:
        local = at.astimezone(IST)
        self._check(local.date())
        if local.weekday() > 4:
            return Phase.CLOSED
        if self.closing_auction and time(15, 15) <= local.time() < time(15, 30):
            return Phase.CLOSING_AUCTION
        return next((phase for end, phase in _PHASES if local.time() < end), Phase.CLOSED)

    def session_date(self, instrument: InstrumentRef, at: datetime) -> date:
        local = at.astimezone(IST)
        self._check(local.date())
        if local.weekday() <= 4 and local.time() < time(15, 30):
            return local.date()
        return _next_weekday(local.date())

    def square_off_time(self, instrument: InstrumentRef, on: date) -> time | None:
        return self.square_off

    def settles_on(self, instrument: InstrumentRef, traded_on: date) -> date:
        return _next_weekday(traded_on)

    def price_band(self, instrument: InstrumentRef, on: date) -> PriceBand | None:
        return self.band

    def last_price(self, instrument: InstrumentRef) -> Decimal | None:
        return self.prices.get(instrument.key)

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
        return (turnover * Decimal("0.0003")).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def settlement(
        self, instrument: InstrumentRef, *, quantity: int, workspace_id: UUID
    ) -> Settlement | None:
        return self.settlements.get(instrument.key)

    def _check(self, day: date) -> None:
        if day > self.known_until:
            raise CalendarUnknown(f"The calendar ends on {self.known_until}")


def _next_weekday(day: date) -> date:
    following = day + timedelta(days=1)
    while following.weekday() > 4:
        following += timedelta(days=1)
    return following
