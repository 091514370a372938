"""The exchange's day at the paper broker: before the open, the queue for it, the close."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from brokers.adapters.paper.acceptance import Proof
from brokers.adapters.paper.exchange import match
from brokers.capabilities import NOT_OFFERED
from brokers.gateway import BrokerStatus, PlaceRequest, QuoteTick, Refused
from brokers.terms import OrderType, Segment, Validity
from brokers.venue import IST, install_venue
from portfolio.venue import HouseVenue
from tests.brokers.contract import buy, cancel_of, placed, report_of
from tests.brokers.paper import SHARE, PaperMarket

WEDNESDAY, THURSDAY = date(2026, 6, 17), date(2026, 6, 18)
SATURDAY, MONDAY = date(2026, 6, 20), date(2026, 6, 22)
S = BrokerStatus


def at(clock: str, day: date = WEDNESDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), IST)


def pass_to(market: PaperMarket, moment: datetime) -> None:
    market.at = moment
    market.wait(seconds=0)


def status(market: PaperMarket, broker_order_id: str) -> BrokerStatus:
    return report_of(market.gateway, broker_order_id).status


class TestPlaceOutOfHours:
    @pytest.mark.parametrize(
        ("clock", "request_", "words"),
        [
            ("08:00", buy(SHARE), "market is closed"),
            ("15:45", buy(SHARE), "market is closed"),
            ("09:05", buy(SHARE, validity=Validity.IOC), "Before the open"),
            (
                "09:05",
                buy(SHARE, order_type=OrderType.SL, trigger_price=Decimal("99")),
                "Before the open",
            ),
            ("15:20", buy(SHARE), "Intraday positions are being squared off"),
        ],
    )
    def test_is_refused_in_words(
        self, market: PaperMarket, clock: str, request_: PlaceRequest, words: str
    ) -> None:
        market.at = at(clock)
        outcome = market.gateway.place(request_)
        assert isinstance(outcome, Refused)
        assert words in outcome.reason

    def test_is_refused_in_the_closing_auction(self, market: PaperMarket) -> None:
        market.venue.closing_auction = True
        market.at = at("15:20")
        outcome = market.gateway.place(buy(SHARE))
        assert isinstance(outcome, Refused)
        assert "auction" in outcome.reason

    def test_is_refused_beyond_the_calendar(self, market: PaperMarket) -> None:
        market.venue.known_until = date(2026, 6, 1)
        outcome = market.gateway.place(buy(SHARE))
        assert isinstance(outcome, Refused)
        assert outcome.proof == Proof.CALENDAR


class TestBeforeTheOpen:
    def test_a_limit_is_taken_and_waits(self, market: PaperMarket) -> None:
        market.at = at("09:05")
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        market.wait()
        market.trade("99", volume=1000)
        assert (status(market, broker_order_id), market.gateway.trades()) == (S.OPEN, [])

    def test_it_trades_from_the_open_on(self, market: PaperMarket) -> None:
        market.at = at("09:05")
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        market.at = at("09:15")
        market.trade("99", volume=1000)
        assert status(market, broker_order_id) is S.FILLED


class TestAfterMarketOrder:
    queued = buy(SHARE, is_amo=True)

    def test_is_queued(self, market: PaperMarket) -> None:
        market.at = at("18:00")
        assert status(market, placed(market.gateway.place(self.queued))) is S.QUEUED_AMO

    def test_stays_queued_through_the_night(self, market: PaperMarket) -> None:
        market.at = at("18:00")
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("08:30", THURSDAY))
        assert status(market, broker_order_id) is S.QUEUED_AMO

    def test_is_open_when_the_market_is(self, market: PaperMarket) -> None:
        market.at = at("18:00")
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("09:15", THURSDAY))
        assert status(market, broker_order_id) is S.OPEN

    def test_waits_over_the_weekend(self, market: PaperMarket) -> None:
        market.at = at("12:00", SATURDAY)
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("09:15", MONDAY))
        assert status(market, broker_order_id) is S.OPEN

    def test_sent_early_is_for_the_same_day(self, market: PaperMarket) -> None:
        market.at = at("06:00")
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("09:16"))
        assert status(market, broker_order_id) is S.OPEN

    def test_is_expired_when_its_session_was_missed(self, market: PaperMarket) -> None:
        market.at = at("18:00")
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("18:00", THURSDAY))
        assert status(market, broker_order_id) is S.EXPIRED

    def test_can_be_cancelled_while_it_waits(self, market: PaperMarket) -> None:
        market.at = at("18:00")
        broker_order_id = placed(market.gateway.place(self.queued))
        placed(market.gateway.cancel(cancel_of(broker_order_id, SHARE)))
        assert status(market, broker_order_id) is S.CANCELLED

    @pytest.mark.parametrize("clock", ["15:35", "15:55", "18:00"])
    def test_in_the_house_s_own_calendar_is_for_the_next_day(
        self, market: PaperMarket, clock: str
    ) -> None:
        install_venue(HouseVenue())
        market.at = at(clock)
        broker_order_id = placed(market.gateway.place(self.queued))
        pass_to(market, at("16:05"))
        assert status(market, broker_order_id) is S.QUEUED_AMO
        pass_to(market, at("09:16", THURSDAY))
        assert status(market, broker_order_id) is S.OPEN


class TestAcknowledgement:
    def test_takes_between_100_and_300_milliseconds(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        market.wait(milliseconds=99)
        assert status(market, broker_order_id) is S.PLACED
        market.wait(milliseconds=202)
        assert status(market, broker_order_id) is S.OPEN

    def test_comes_before_any_fill(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        early = QuoteTick(SHARE.key, Decimal(99), market.at + timedelta(milliseconds=99), 1000)
        match([early], at=early.at)
        assert market.gateway.trades() == []


class TestTheClose:
    def test_expires_an_order_for_the_day(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        pass_to(market, at("15:30"))
        assert status(market, broker_order_id) is S.EXPIRED

    def test_keeps_what_was_filled(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        market.wait()
        market.trade("99", volume=16)
        pass_to(market, at("15:30"))
        report = report_of(market.gateway, broker_order_id)
        assert (report.status, report.filled_quantity) == (S.EXPIRED, 4)

    def test_lets_nothing_fill_afterwards(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        market.at = at("15:31")
        market.trade("99", volume=1000)
        assert market.gateway.trades() == []

    def test_lets_nothing_fill_the_next_morning(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        market.at = at("09:20", THURSDAY)
        market.trade("99", volume=1000)
        assert market.gateway.trades() == []

    def test_frees_the_money(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        pass_to(market, at("15:30"))
        assert market.gateway.funds().margin_used == 0

    def test_cancels_a_waiting_stop_when_an_auction_begins(self, market: PaperMarket) -> None:
        market.venue.closing_auction = True
        request = buy(SHARE, order_type=OrderType.SL, trigger_price=Decimal("99"))
        broker_order_id = placed(market.gateway.place(request))
        market.wait()
        pass_to(market, at("15:16"))
        assert status(market, broker_order_id) is S.CANCELLED

    def test_is_told_once(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        pass_to(market, at("15:30"))
        pass_to(market, at("15:31"))
        assert market.statuses() == [S.EXPIRED]

    def test_leaves_the_order_in_the_day_s_book(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        pass_to(market, at("23:59"))
        assert status(market, broker_order_id) is S.EXPIRED

    def test_leaves_the_next_day_s_book_empty(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        pass_to(market, at("23:59"))
        market.at = at("09:00", THURSDAY)
        assert market.gateway.orders() == []


class TestCapabilities:
    def test_of_an_index_are_none(self, market: PaperMarket) -> None:
        assert market.gateway.capabilities(Segment.IDX) is None

    def test_of_every_other_segment_that_is_offered_are_known(self, market: PaperMarket) -> None:
        traded = set(Segment) - {Segment.IDX} - NOT_OFFERED
        assert all(market.gateway.capabilities(segment) for segment in traded)
