"""The sessions, bands and charges by which the paper broker keeps its market."""

from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from brokers.gateway import InstrumentRef
from brokers.terms import InstrumentType, Product, Side
from brokers.venue import (
    CalendarUnknown,
    ChargesUnknown,
    Phase,
    PriceBand,
    Settlement,
    install_venue,
)
from market.auction import has_closing_auction, instrument_phase
from market.calendar import IST, next_trading_day, session_date, session_hours, usual_hours
from market.models import Instrument, PriceBandRow
from market.quotes import quote_of
from market.settlement import final_price, is_on_index
from portfolio.charges import order_charges
from portfolio.expiry import Terms, TermsUnknown, outcome
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
        """Return the Indian time at which intraday positions are closed; None: never by force.

        A special session that begins later or ends earlier has it as long before its own close.
        """
        usual = square_off_time_on(instrument.exchange, _square_off_group(instrument, on), on)
        return None if usual is None else _of_that_day(usual, instrument, on)

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

    def settlement(
        self, instrument: InstrumentRef, *, quantity: int, workspace_id: UUID
    ) -> Settlement | None:
        """Return how the exchange ends a signed position; None while the final price is missing."""
        contract = Instrument.objects.filter(key=instrument.key).first()
        if contract is None:
            return None
        final = final_price(contract, workspace_id=workspace_id)
        if final is None:
            return None
        kind = InstrumentType(contract.instrument_type)
        terms = Terms(kind, is_on_index(contract), contract.strike)
        try:
            ended = outcome(terms, quantity=quantity, final=final)
        except TermsUnknown:
            return None
        return Settlement(ended.price, _settlement_charges(contract, ended.price, quantity))


def _settlement_charges(contract: Instrument, price: Decimal, quantity: int) -> Decimal:
    """Return the tax on an exercise; what has no rate on file is booked without, as here."""
    if contract.expiry is None:
        return Decimal(0)
    tariff = Tariff(
        exchange=contract.exchange,
        instrument_type=InstrumentType(contract.instrument_type),
        product=Product.NRML,
        side=Side.SELL if quantity > 0 else Side.BUY,
        on=contract.expiry,
        is_settlement=True,
    )
    try:
        return order_charges(price * abs(quantity), rates_for(tariff)).total
    except ChargesUnknown:
        return Decimal(0)


def install_house_venue() -> None:
    """Make this house the paper broker's market; the site does it at start-up."""
    install_venue(HouseVenue())


def _of_that_day(usual: time, instrument: InstrumentRef, on: date) -> time:
    board = (instrument.exchange, instrument.segment, on)
    by_auction = has_closing_auction(instrument, on)
    try:
        hours = session_hours(*board, has_closing_auction=by_auction)
        ordinary = usual_hours(*board, has_closing_auction=by_auction)
    except CalendarUnknown:
        return usual
    at = datetime.combine(on, usual, IST)
    if hours is None or hours.opens_at < at < hours.closes_at >= ordinary.closes_at:
        return usual
    return (hours.closes_at - (ordinary.closes_at - at)).astimezone(IST).time()


def _square_off_group(instrument: InstrumentRef, on: date) -> SquareOffGroup:
    if InstrumentType(instrument.instrument_type).is_derivative:
        return SquareOffGroup.DERIVATIVES
    if has_closing_auction(instrument, on):
        return SquareOffGroup.AUCTION_SHARES
    return SquareOffGroup.SHARES
