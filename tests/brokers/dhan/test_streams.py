"""Dhan's sockets, byte by byte: hand-made packets, the SDK's parser beside ours, live frames."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from dhanhq import MarketFeed
from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.dhan.packets import PacketUnreadable, read_packets
from brokers.adapters.dhan.streams import MarketStream, OrderStream, open_stream
from brokers.gateway import InstrumentRef, QuoteTick
from brokers.streaming.protocol import (
    Heartbeat,
    StreamError,
    StreamKind,
    Ticks,
)
from brokers.terms import InstrumentType, Segment
from tests.brokers.dhan.market import DhanStand

# 10:30:05 on India's clock, counted as if it were UTC: what Dhan sends for 05:00:05 UTC.
STAMP = int(datetime(2026, 11, 20, 10, 30, 5, tzinfo=UTC).timestamp())
AT = datetime(2026, 11, 20, 5, 0, 5, tzinfo=UTC)
INFY = InstrumentRef(
    key="NSE:INFY",
    exchange="NSE",
    segment=Segment.NSE_EQ,
    trading_symbol="INFY",
    instrument_type=InstrumentType.EQ,
    lot_size=1,
    tick_size=Decimal("0.05"),
    token="1594",
    broker_exchange="NSE_EQ",
)
NIFTY = replace(
    INFY, key="NSE:NIFTY 50", segment=Segment.IDX, instrument_type=InstrumentType.INDEX,
    token="13", broker_exchange="IDX_I",
)  # fmt: skip


def head(code: int, size: int, *, segment: int = 1, number: int = 1594) -> bytes:
    return struct.pack("<BHBI", code, size, segment, number)


def ticker(price: float = 1501.25, stamp: int = STAMP, **where: int) -> bytes:
    return head(2, 16, **where) + struct.pack("<fI", price, stamp)


def quote(volume: int = 5000, *, stamp: int = STAMP, price: float = 1501.25) -> bytes:
    told = (price, 10, stamp, 1500.5, volume, 700, 800, 1490.0, 1480.0, 1510.0, 1485.0)
    return head(4, 50) + struct.pack("<fHIfIIIffff", *told)


def full(volume: int = 5000, *, stamp: int = STAMP, interest: int = 42) -> bytes:
    told = (1501.25, 10, stamp, 1500.5, volume, 700, 800, interest, 50, 40)
    packet = head(8, 162) + struct.pack("<fHIfIIIIII", *told)
    packet += struct.pack("<ffff", 1490.0, 1480.0, 1510.0, 1485.0)
    for level in range(5):
        bid, ask = 1501.2 - level * 0.05, 1501.3 + level * 0.05
        packet += struct.pack("<IIHHff", 100 + level, 200 + level, 3, 4, bid, ask)
    return packet


def stream(*instruments: InstrumentRef) -> MarketStream:
    made = MarketStream("1100000001", "token")
    made.subscribe(instruments or (INFY,))
    return made


def ticks_in(feed: MarketStream, frame: bytes) -> list[QuoteTick]:
    return [tick for news in feed.parse(frame) if isinstance(news, Ticks) for tick in news.ticks]


class TestAPacket:
    @pytest.mark.parametrize("cut", [1, 7, 8, 15])
    def test_cut_off_is_not_read(self, cut: int) -> None:
        with pytest.raises(PacketUnreadable):
            list(read_packets(ticker()[:cut]))

    @pytest.mark.parametrize("code", [0, 1, 3, 9, 41, 51, 255])
    def test_of_an_unknown_kind_is_not_read(self, code: int) -> None:
        with pytest.raises(PacketUnreadable):
            list(read_packets(head(code, 16) + bytes(150)))

    @pytest.mark.parametrize(
        ("frame", "size"),
        [(ticker(), 16), (quote(), 50), (full(), 162), (head(7, 8), 8),
         (head(5, 12) + bytes(4), 12), (head(6, 16) + bytes(8), 16), (head(50, 10) + bytes(2), 10)],
    )  # fmt: skip
    def test_has_the_size_of_its_table(self, frame: bytes, size: int) -> None:
        assert len(frame) == size
        assert len(list(read_packets(frame))) == 1

    def test_tells_close_before_high(self) -> None:
        (packet,) = read_packets(quote())
        assert (packet.open, packet.close, packet.high, packet.low) == (1490, 1480, 1510, 1485)

    def test_of_every_kind_is_read_as_the_sdk_reads_it(self) -> None:
        sdk = object.__new__(MarketFeed)
        (ours,), theirs = read_packets(full()), sdk.process_data(full())
        assert (ours.number, ours.volume, ours.open_interest) == (
            theirs["security_id"],
            theirs["volume"],
            theirs["OI"],
        )
        for name in ("open", "close", "high", "low"):
            assert f"{getattr(ours, name):.2f}" == theirs[name]
        for level, row in zip(ours.levels, theirs["depth"], strict=True):
            assert (level.bid_quantity, level.ask_orders) == (
                row["bid_quantity"],
                row["ask_orders"],
            )
            assert f"{level.bid:.2f}" == row["bid_price"]

    def test_after_the_first_is_lost_by_the_bare_sdk(self) -> None:
        sdk = object.__new__(MarketFeed)
        assert sdk.process_data(ticker() + ticker(number=2885))["security_id"] == 1594

    def test_after_the_first_is_read_here(self) -> None:
        frame = ticker() + ticker(number=2885)
        assert [each.number for each in read_packets(frame)] == [1594, 2885]


class TestTicks:
    def test_have_the_price_that_was_meant(self) -> None:
        """25,650.05 is 25650.050781 as a float of 32 bits."""
        feed = stream(NIFTY)
        (tick,) = ticks_in(feed, ticker(25650.05, segment=0, number=13))
        assert tick.ltp == Decimal("25650.05")
        assert str(tick.ltp) == "25650.05"

    def test_have_their_own_time(self) -> None:
        (tick,) = ticks_in(stream(), ticker())
        assert tick.at == AT

    def test_tell_what_traded_since_the_one_before(self) -> None:
        feed = stream()
        volumes = [
            tick.volume
            for volume in (5000, 5010, 5010, 5100)
            for tick in ticks_in(feed, quote(volume))
        ]
        assert volumes == [0, 10, 0, 90]

    def test_of_a_new_day_begin_at_nothing(self) -> None:
        feed = stream()
        ticks_in(feed, quote(5000))
        (tick,) = ticks_in(feed, quote(30, stamp=STAMP + 86_400))
        assert tick.volume == 30

    def test_that_come_late_are_no_news(self) -> None:
        feed = stream()
        ticks_in(feed, quote(5000))
        assert ticks_in(feed, quote(4990, stamp=STAMP - 5)) == []
        assert [each.volume for each in ticks_in(feed, quote(5010))] == [10]

    def test_that_come_twice_count_once(self) -> None:
        feed = stream()
        volumes = [each.volume for _ in range(2) for each in ticks_in(feed, quote(5000))]
        assert volumes == [0, 0]

    def test_of_full_packets_tell_the_best_of_the_book(self) -> None:
        (tick,) = ticks_in(stream(), full())
        assert (tick.bid, tick.ask) == (Decimal("1501.20"), Decimal("1501.30"))
        assert (tick.bid_quantity, tick.ask_quantity, tick.open_interest) == (100, 200, 42)

    def test_remember_the_open_interest_told_apart(self) -> None:
        feed = stream()
        feed.parse(head(5, 12) + struct.pack("<I", 77))
        (tick,) = ticks_in(feed, quote())
        assert tick.open_interest == 77

    def test_before_the_first_trade_are_none(self) -> None:
        assert ticks_in(stream(), ticker(0.0, 0)) == []

    def test_of_what_is_not_wanted_are_none(self) -> None:
        assert ticks_in(stream(), ticker(number=2885)) == []

    def test_of_yesterdays_close_are_none(self) -> None:
        assert ticks_in(stream(), head(6, 16) + struct.pack("<fI", 1480.0, 9)) == []


class TestAFrame:
    @given(st.binary(max_size=400))
    def test_of_anything_never_raises(self, frame: bytes) -> None:
        assert stream().parse(frame)

    def test_keeps_what_was_read_before_it_broke(self) -> None:
        news = stream().parse(ticker() + head(99, 4))
        assert [type(each) for each in news] == [Ticks, StreamError]
        assert not any(each.is_fatal for each in news if isinstance(each, StreamError))

    def test_of_the_market_s_status_is_a_heartbeat(self) -> None:
        assert stream().parse(head(7, 8)) == [Heartbeat()]

    def test_of_text_is_told(self) -> None:
        (news,) = stream().parse("something")
        assert isinstance(news, StreamError)

    @pytest.mark.parametrize(
        ("reason", "is_auth"),
        [(805, False), (806, False), (807, True), (808, True), (809, True), (999, False)],
    )
    def test_of_goodbye_ends_the_socket(self, reason: int, is_auth: bool) -> None:
        (news,) = stream().parse(head(50, 10) + struct.pack("<H", reason))
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (True, is_auth)
        assert str(reason) in news.words


class TestSubscribing:
    def test_asks_for_a_hundred_at_a_time(self) -> None:
        many = [replace(INFY, key=f"NSE:{n}", token=str(n)) for n in range(1, 251)]
        asked = [json.loads(each) for each in MarketStream("1", "t").subscribe(many)]
        assert [each["InstrumentCount"] for each in asked] == [100, 100, 50]
        assert {each["RequestCode"] for each in asked} == {21}
        assert asked[0]["InstrumentList"][0] == {"ExchangeSegment": "NSE_EQ", "SecurityId": "1"}

    def test_asks_for_tickers_of_indices(self) -> None:
        (asked,) = MarketStream("1", "t").subscribe([NIFTY])
        assert json.loads(asked)["RequestCode"] == 15

    def test_leaves_out_what_has_no_number(self) -> None:
        assert MarketStream("1", "t").subscribe([replace(INFY, token="")]) == []

    def test_ends_with_the_next_code(self) -> None:
        feed = stream(INFY, NIFTY)
        codes = [json.loads(each)["RequestCode"] for each in feed.unsubscribe([INFY, NIFTY])]
        assert codes == [16, 22]
        assert ticks_in(feed, ticker()) == []

    def test_shows_no_token(self) -> None:
        assert "secret" not in repr(MarketStream("1", "secret")) + repr(OrderStream("1", "secret"))


class TestOpening:
    def test_gives_each_kind_its_address(self, dhan: DhanStand) -> None:
        secrets = {"client_id": "1100000001", "access_token": "a b"}
        market = open_stream(StreamKind.MARKET, secrets=secrets, credentials={})
        orders = open_stream(StreamKind.ORDERS, secrets=secrets, credentials={})
        assert market is not None
        assert orders is not None
        assert "token=a+b" in market.url()
        assert json.loads(orders.greeting()[0])["LoginReq"]["MsgCode"] == 42

    def test_goes_to_dhan_where_nothing_is_simulated(self) -> None:
        assert MarketStream("1", "t").url().startswith("wss://api-feed.dhan.co?version=2&")
        assert OrderStream("1", "t").url() == "wss://api-order-update.dhan.co"


def test_a_day_is_counted_in_india() -> None:
    feed = stream()
    midnight = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())
    ticks_in(feed, quote(5000, stamp=midnight - 1))
    (tick,) = ticks_in(feed, quote(20, stamp=midnight))
    assert tick.volume == 20
    assert tick.at - AT < timedelta(days=1)
