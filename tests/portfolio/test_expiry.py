"""What contracts come to when they expire; the published and computed cases of after_trade."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.terms import InstrumentType
from portfolio.expiry import Delivery, Outcome, Terms, TermsUnknown, outcome

CALL, PUT, FUTURE = InstrumentType.CE, InstrumentType.PE, InstrumentType.FUT


def on_index(kind: InstrumentType, strike: str | None = None) -> Terms:
    return Terms(kind, is_on_index=True, strike=Decimal(strike) if strike else None)


def on_share(kind: InstrumentType, strike: str | None = None) -> Terms:
    return Terms(kind, is_on_index=False, strike=Decimal(strike) if strike else None)


class TestAnOptionWithoutAStrike:
    def test_is_not_settled(self) -> None:
        with pytest.raises(TermsUnknown, match="strike"):
            outcome(on_index(CALL), quantity=65, final=Decimal(100))


class TestAContractOnAnIndex:
    @pytest.mark.parametrize(
        ("terms", "final", "price"),
        [
            (on_index(CALL, "25900"), "26012.35", "112.35"),
            (on_index(CALL, "16000"), "16100", "100"),
            (on_index(CALL, "25900"), "25900", "0"),  # at the strike nothing is exercised
            (on_index(PUT, "25900"), "26012.35", "0"),
            (on_index(PUT, "25900"), "25800.10", "99.90"),
            (on_index(FUTURE), "26012.35", "26012.35"),
        ],
    )
    def test_ends_in_cash(self, terms: Terms, final: str, price: str) -> None:
        assert outcome(terms, quantity=-65, final=Decimal(final)) == Outcome(Decimal(price))


class TestAContractOnAShare:
    @pytest.mark.parametrize(
        ("kind", "quantity", "taken"),
        [(CALL, 500, 500), (CALL, -500, -500), (PUT, 500, -500), (PUT, -500, 500)],
    )
    def test_in_the_money_becomes_shares_at_the_strike(
        self, kind: InstrumentType, quantity: int, taken: int
    ) -> None:
        final = Decimal(2500) if kind is CALL else Decimal(2300)
        ended = outcome(on_share(kind, "2400"), quantity=quantity, final=final)
        assert ended == Outcome(Decimal(0), Delivery(taken, Decimal(2400)))
        assert ended.delivery is not None
        assert ended.delivery.value == Decimal(1_200_000)

    def test_out_of_the_money_ends_at_nothing(self) -> None:
        ended = outcome(on_share(CALL, "2400"), quantity=500, final=Decimal(2400))
        assert ended == Outcome(Decimal(0))

    def test_that_is_a_future_is_marked_and_delivered_at_the_final_price(self) -> None:
        ended = outcome(on_share(FUTURE), quantity=-500, final=Decimal("501.25"))
        assert ended == Outcome(Decimal("501.25"), Delivery(-500, Decimal("501.25")))


prices = st.decimals(min_value="0.05", max_value="100000", places=2)


class TestACallAndAPutOfOneStrike:
    @given(prices, prices)
    def test_differ_by_what_the_index_is_ahead_of_it(self, strike: Decimal, final: Decimal) -> None:
        call = outcome(Terms(CALL, True, strike), quantity=1, final=final).price
        put = outcome(Terms(PUT, True, strike), quantity=1, final=final).price
        assert call - put == final - strike
        assert not (call and put)
