from datetime import date, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from brokers.terms import InstrumentType, Segment
from brokers.venue import Phase
from market.auction import forget_auction_shares, has_closing_auction, instrument_phase
from market.calendar import IST
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db

PAUSE = datetime(2026, 8, 4, 15, 17, tzinfo=IST)


def make_future(expiry: date) -> None:
    make_instrument(
        f"NFO:RELIANCE{expiry:%d%b}FUT",
        segment=Segment.NSE_FNO,
        instrument_type=InstrumentType.FUT,
        underlying="RELIANCE",
        expiry=expiry,
    )
    forget_auction_shares()


class TestClosingAuction:
    def test_is_not_for_a_share_without_futures(self) -> None:
        share = make_instrument()

        assert instrument_phase(share, PAUSE) is Phase.OPEN

    def test_is_not_for_a_share_whose_futures_expired(self) -> None:
        share = make_instrument()
        make_future(date(2026, 7, 28))

        assert not has_closing_auction(share, PAUSE.date())

    def test_is_not_for_the_future_itself(self) -> None:
        make_future(date(2026, 8, 25))
        future = make_instrument(
            "NFO:RELIANCE26AUGFUT", segment=Segment.NSE_FNO, instrument_type=InstrumentType.FUT
        )

        assert instrument_phase(future, PAUSE) is Phase.OPEN

    def test_pauses_a_share_with_futures(self) -> None:
        share = make_instrument()
        make_future(date(2026, 8, 25))

        assert instrument_phase(share, PAUSE) is Phase.CLOSING_PAUSE

    def test_takes_the_reference_that_a_broker_gets(self) -> None:
        share = make_instrument()
        make_future(date(2026, 8, 25))

        assert instrument_phase(share.ref(), PAUSE) is Phase.CLOSING_PAUSE

    def test_costs_no_query_the_second_time(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        share = make_instrument()
        instrument_phase(share, PAUSE)

        with django_assert_num_queries(0):
            instrument_phase(share, PAUSE)
