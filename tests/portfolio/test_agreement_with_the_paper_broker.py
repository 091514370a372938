"""The house and its paper broker keep separate books; cash and charges must come out the same."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from brokers.adapters.paper.margins import Leg, PositionState, booked, cash_change
from brokers.terms import InstrumentType, Product, Segment, Side
from portfolio.fills import Fill
from portfolio.posting import cash_balance
from portfolio.services import book_fill
from portfolio.venue import HouseVenue
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY, make_desk, make_fill, make_running_strategy

kinds = st.sampled_from(
    [
        (InstrumentType.EQ, Product.MIS),
        (InstrumentType.EQ, Product.CNC),
        (InstrumentType.FUT, Product.NRML),
        (InstrumentType.CE, Product.MIS),
    ]
)
fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(min_value=1, max_value=300),
        st.integers(min_value=100, max_value=500_000).map(lambda paise: Decimal(paise) / 100),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


class TestCash(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(kinds, fills)
    def test_of_any_trading_is_the_same_in_both_books(
        self,
        kind: tuple[InstrumentType, Product],
        traded: list[tuple[Side, int, Decimal, bool]],
    ) -> None:
        instrument_type, product = kind
        instrument = make_instrument(
            "NFO:ANY", segment=Segment.NSE_FNO, instrument_type=instrument_type
        )
        account = make_desk()
        strategies = [None, make_running_strategy(account)]
        cash, state = Decimal(0), PositionState()

        for side, quantity, price, is_strategy in traded:
            fill = make_fill(
                account,
                instrument,
                f"{side} {quantity} @ {price}",
                product=product,
                user_strategy_id=strategies[is_strategy],
            )
            book_fill(fill, now=NOW)
            state, change = _at_the_broker(state, fill)
            cash += change

        assert cash_balance(account) == cash


def _at_the_broker(state: PositionState, fill: Fill) -> tuple[PositionState, Decimal]:
    leg = Leg(fill.instrument.ref(), fill.product, fill.side, fill.quantity)
    after = booked(state, side=fill.side, quantity=fill.quantity, price=fill.price)
    realized = after.realized_pnl - state.realized_pnl
    charges = HouseVenue().charges(
        leg.instrument,
        side=fill.side,
        product=fill.product,
        quantity=fill.quantity,
        turnover=fill.price * fill.quantity,
        on=TODAY,
    )
    return after, cash_change(leg, price=fill.price, realized=realized) - charges
