"""Which candles belong to what was asked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.abilities import BrokerCandle, CandleRequest
from brokers.candles import whole_days, within
from brokers.venue import IST
from tests.brokers.kite.market import share_ref

NEW_YORK = ZoneInfo("America/New_York")
OPEN = datetime(2026, 6, 17, 9, 15, tzinfo=IST)


def candle(at: datetime) -> BrokerCandle:
    one = Decimal(1)
    return BrokerCandle(at, one, one, one, one, 1)


def request(interval: str, start: datetime, end: datetime) -> CandleRequest:
    return CandleRequest(share_ref(), interval, start, end)


class TestADay:
    def test_that_was_asked_for_from_its_open_is_told(self) -> None:
        asked = whole_days(request("1d", OPEN, OPEN + timedelta(days=1)), IST)
        midnights = [datetime(2026, 6, day, tzinfo=IST) for day in (16, 17, 18, 19)]
        told = within(map(candle, midnights), asked)
        assert [each.at.day for each in told] == [17, 18]

    def test_is_the_exchange_s_own(self) -> None:
        opens = datetime(2026, 6, 17, 13, 30, tzinfo=UTC)
        asked = whole_days(request("1d", opens, opens), NEW_YORK)
        assert within([candle(datetime(2026, 6, 17, 4, tzinfo=UTC))], asked)


class TestMinutes:
    def test_are_kept_to_what_was_asked(self) -> None:
        asked = whole_days(request("5m", OPEN, OPEN + timedelta(minutes=5)), IST)
        told = within([candle(OPEN + timedelta(minutes=each)) for each in (5, 0, -5, 10, 5)], asked)
        assert [each.at - OPEN for each in told] == [timedelta(0), timedelta(minutes=5)]
