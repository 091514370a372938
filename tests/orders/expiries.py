"""Contracts that expire on a Tuesday, and the evening after."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.core.management import call_command

from brokers.adapters.paper.exchange import advance
from brokers.gateway import QuoteTick
from brokers.models import PaperAccount
from brokers.terms import InstrumentType, Product, Segment, Side
from brokers.venue import IST
from market.models import Candle, Instrument, Interval
from market.quotes import write_quotes
from orders.services.expiring import settle_expired
from orders.services.settlement_prices import (
    ReadPrice,
    enter_final_price,
)
from portfolio.models import (
    ExpirySettlement,
)
from portfolio.posting import cash_balance
from tests.builders import make_instrument
from tests.orders.desk import Desk

EXPIRY = date(2026, 6, 23)  # a Tuesday
LAST_EVENING = datetime(2026, 6, 23, 11, 0, tzinfo=UTC)  # 16:30 in Kolkata
NEXT_MORNING = datetime(2026, 6, 24, 4, 0, tzinfo=UTC)
READ = "Clearing corporation's file of final settlement prices"


def make_contract(
    kind: InstrumentType = InstrumentType.CE,
    *,
    underlying: str = "NIFTY",
    strike: str | None = "25900",
    lot: int = 65,
) -> Instrument:
    symbol = f"{underlying}26623{strike or ''}{kind}"
    return make_instrument(
        f"NFO:{symbol}",
        segment=Segment.NSE_FNO,
        instrument_type=kind,
        underlying=underlying,
        strike=Decimal(strike) if strike else None,
        option_type=kind if kind.is_option else "",
        expiry=EXPIRY,
        lot_size=lot,
    )


def holding(desk: Desk, contract: Instrument, quantity: int, *, price: str = "40.00") -> Desk:
    """Trade at the broker by hand, then wait until the evening of the last day."""
    desk.instrument = contract
    write_quotes([QuoteTick(contract.key, Decimal(price), desk.now, 1000)])
    side = Side.BUY if quantity > 0 else Side.SELL
    desk.send(desk.place(side, abs(quantity), product=Product.NRML))
    desk.trade(price)
    desk.trade(price)
    desk.now = LAST_EVENING
    return desk


def index_closes(at: str, *, on: date = EXPIRY) -> None:
    index = make_instrument(
        "NSE:NIFTY 50", segment=Segment.IDX, instrument_type=InstrumentType.INDEX
    )
    Candle.objects.create(
        instrument=index,
        interval=Interval.D1,
        timestamp=datetime.combine(on, time.min, IST),
        open=at,
        high=at,
        low=at,
        close=at,
    )


def settle(desk: Desk) -> int:
    """Do what the workers do every minute, at the broker and here."""
    advance(at=desk.now)
    return settle_expired(now=desk.now)


def the_row() -> ExpirySettlement:
    return ExpirySettlement.objects.select_related("instrument", "workspace").get()


def enter(desk: Desk, price: str, *, evidence: str = READ, is_sure: bool = False) -> None:
    read = ReadPrice(Decimal(price), evidence, by=desk.user, is_sure=is_sure)
    enter_final_price(the_row(), read, now=desk.now)


def agrees_with_the_practice_broker(desk: Desk, *, brought_in: str = "1000000") -> None:
    broker = PaperAccount.objects.get(account=desk.account)
    assert broker.cash == cash_balance(desk.account) + Decimal(brought_in)


def is_proven() -> None:
    call_command("rebuild_books", "--check")
