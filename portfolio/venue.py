"""The sessions, bands and charges by which the paper broker keeps its market."""

from datetime import date, datetime, time
from decimal import Decimal

from brokers.gateway import InstrumentRef
from brokers.terms import InstrumentType, Product, Side
from brokers.venue import Phase, PriceBand, install_venue
from market.auction import has_closing_auction, instrument_phase
from market.calendar import next_trading_day, session_date
from market.models import PriceBandRow
from market.quotes import quote_of
from portfolio.charges import order_charges
from portfolio.rates import Tariff, rates_for
from portfolio.square_off import SquareOffGroup, square_off_time_on


class HouseVenue:
    """A :class:`brokers.venue.Venue` that answers from this house's calendar and dated tables."""

    def phase(self, instrument: InstrumentRef, at: datetime) -> Phase:
        """:raises CalendarUnknown: where the calendar does not reach."""
        return instrument_phase(instrument, at)

    def session_date(self, instrument: InstrumentRef, at: datetime) -> date:
        """:raises CalendarUnknown: where the calendar does not reach."""
        return session_date(instrument.exchange, at)

    def square_off_time(self, instrument: InstrumentRef, on: date) -> time | None:
        """Return the Indian time at which intraday positions are closed; None: never by force."""
        return square_off_time_on(instrument.exchange, _square_off_group(instrument, on), on)

    def settles_on(self, instrument: InstrumentRef, traded_on: date) -> date:
        """Return the next trading day: shares are settled a day after the trade (T+1).

        :raises CalendarUnknown: where the calendar does not reach.
        """
        return next_trading_day(instrument.exchange, traded_on)

    def price_band(self, instrument: InstrumentRef, on: date) -> PriceBand | None:
        row = PriceBandRow.objects.filter(instrument__key=instrument.key, trading_day=on).first()
        return None if row is None else PriceBand(lower=row.lower, upper=row.upper)

    def last_price(self, instrument: InstrumentRef) -> Decimal | None:
        quote = quote_of(instrument.key)
        return None if quote is None else quote.ltp

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
        """Return all charges on an order's turnover so far, to the paisa.

        :raises ChargesUnknown: where no rate is on file for that day.
        """
        tariff = Tariff(
            exchange=instrument.exchange,
            instrument_type=instrument.instrument_type,
            product=product,
            side=side,
            on=on,
        )
        return order_charges(turnover, rates_for(tariff)).total


def install_house_venue() -> None:
    """Make this house the paper broker's market; the site does it at start-up."""
    install_venue(HouseVenue())


def _square_off_group(instrument: InstrumentRef, on: date) -> SquareOffGroup:
    if InstrumentType(instrument.instrument_type).is_derivative:
        return SquareOffGroup.DERIVATIVES
    if has_closing_auction(instrument, on):
        return SquareOffGroup.AUCTION_SHARES
    return SquareOffGroup.SHARES
