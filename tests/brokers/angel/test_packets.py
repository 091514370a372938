"""Angel One's price packets byte by byte, and the text between them."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.angel.packets import SIZES
from brokers.adapters.angel.streams import MarketStream, OrderStream
from brokers.gateway import QuoteTick
from brokers.streaming.protocol import (
    Heartbeat,
    StreamError,
    Ticks,
)
from brokers.terms import Segment
from tests.brokers.angel.market import CREDENTIALS, DEMO

AT = datetime(2026, 6, 17, 5, 0, 0, 123000, tzinfo=UTC)
HEAD = struct.Struct("<BB25sqqq")


def snap(
    *,
    last: int = 10_150,
    volume: int = 500,
    at: datetime = AT,
    token: str = DEMO.token,
    exchange: int = 1,
    oi: int = 77,
) -> bytes:
    """A snap-quote packet written from the published table, not from our own code."""
    levels = [struct.pack("<hqqh", 1, 10 + n, 10_100 - n, 1) for n in range(5)]
    levels += [struct.pack("<hqqh", 0, 20 + n, 10_200 + n, 2) for n in range(5)]
    return (
        HEAD.pack(3, exchange, token.encode(), 4242, round(at.timestamp() * 1000), last)
        + struct.pack("<qqq", 5, 10_120, volume)
        + struct.pack("<dd", 1000.0, 2000.0)
        + struct.pack("<qqqq", 10_000, 10_300, 9_900, 10_050)
        + struct.pack("<qqd", round(at.timestamp()), oi, 0.5)
        + b"".join(levels)
        + struct.pack("<qqqq", 12_000, 8_000, 15_000, 5_000)
    )


def stream() -> MarketStream:
    """A stream that is subscribed to the share."""
    stream = MarketStream({"jwt": "J", "feed": "F"}, dict(CREDENTIALS))
    stream.subscribe([DEMO])
    return stream


def tick_of(news: Any) -> QuoteTick:
    (told,) = news
    assert isinstance(told, Ticks), told
    return told.ticks[0]


class TestPackets:
    def test_have_the_published_sizes(self) -> None:
        assert len(snap()) == SIZES[3] == 379

    def test_tell_price_quotes_and_open_interest(self) -> None:
        assert tick_of(stream().parse(snap())) == QuoteTick(
            key=DEMO.key,
            ltp=Decimal("101.5"),
            at=AT,
            volume=0,
            bid=Decimal("101"),
            ask=Decimal("102"),
            bid_quantity=10,
            ask_quantity=20,
            open_interest=77,
        )

    def test_tell_what_traded_since_the_last(self) -> None:
        market = stream()
        later = AT + timedelta(seconds=1)
        market.parse(snap(volume=500))
        assert tick_of(market.parse(snap(volume=620, at=later))).volume == 120
        assert tick_of(market.parse(snap(volume=620, at=later))).volume == 0

    def test_of_a_new_day_begin_anew(self) -> None:
        market = stream()
        market.parse(snap(volume=500))
        assert tick_of(market.parse(snap(volume=3, at=AT + timedelta(days=1)))).volume == 0

    def test_that_come_late_are_left_out(self) -> None:
        market = stream()
        market.parse(snap(volume=620, at=AT + timedelta(seconds=1)))
        assert market.parse(snap(volume=500)) == (Heartbeat(),)

    @pytest.mark.parametrize("size", [51, 123])
    def test_of_the_smaller_modes_are_read_too(self, size: int) -> None:
        mode = {51: b"\x01", 123: b"\x02"}[size]
        tick = tick_of(stream().parse(mode + snap()[1:size]))
        assert (tick.ltp, tick.bid) == (Decimal("101.5"), None)

    def test_of_currencies_have_other_units(self) -> None:
        rupee = replace(DEMO, key="CDS:USDINR", segment=Segment.CDS_FUT, broker_exchange="CDS")
        market = stream()
        market.subscribe([rupee])
        tick = tick_of(market.parse(snap(last=835_025_000, exchange=13)))
        assert (tick.key, tick.ltp) == ("CDS:USDINR", Decimal("83.5025"))

    def test_of_depth_alone_have_no_price(self) -> None:
        depth = b"\x04" + snap()[1:43] + bytes(400)
        assert len(depth) == SIZES[4]
        assert stream().parse(depth) == (Heartbeat(),)

    def test_that_nobody_asked_for_are_left_out(self) -> None:
        assert stream().parse(snap(token="1")) == (Heartbeat(),)

    def test_after_unsubscribing_are_left_out(self) -> None:
        market = stream()
        market.unsubscribe([DEMO])
        assert market.parse(snap()) == (Heartbeat(),)

    @pytest.mark.parametrize("length", [0, 1, 2, 50, 51, 122, 200, 378])
    def test_that_are_cut_off_are_told(self, length: int) -> None:
        (told,) = stream().parse(snap()[:length])
        assert isinstance(told, StreamError)
        assert not told.is_fatal

    @pytest.mark.parametrize(
        "frame",
        [
            b"\x09" + snap()[1:],
            bytes(379),
            b"\xff" * 379,
            snap() + bytes(10_000),
            snap(last=0),
            snap(last=-5),
            snap(at=datetime(1970, 1, 1, tzinfo=UTC)),
            snap(token=""),
        ],
    )
    def test_of_nonsense_are_told(self, frame: bytes) -> None:
        (told,) = stream().parse(frame)
        assert isinstance(told, StreamError)
        assert not told.is_fatal


class TestAnyBytes:
    @given(st.binary(max_size=500))
    def test_never_raise(self, frame: bytes) -> None:
        for told in stream().parse(frame):
            assert isinstance(told, StreamError | Heartbeat | Ticks)

    @given(st.sampled_from([1, 2, 3, 4]), st.binary(min_size=50, max_size=500))
    def test_of_a_known_mode_never_raise(self, mode: int, rest: bytes) -> None:
        assert stream().parse(bytes([mode]) + rest)

    @given(st.text(max_size=200))
    def test_as_text_never_raise(self, frame: str) -> None:
        orders = OrderStream({}, {}, lambda exchange, token: "")
        assert stream().parse(frame)
        assert orders.parse(frame)


class TestMarketText:
    def test_pong_is_a_sign_of_life(self) -> None:
        assert stream().parse("pong") == (Heartbeat(),)

    def test_over_the_limit_is_told_in_words(self) -> None:
        (told,) = stream().parse('{"correlationID":"x","errorCode":"E1002","errorMessage":"m"}')
        assert isinstance(told, StreamError)
        assert "1,000" in told.words

    @pytest.mark.parametrize("frame", ["", "{", "[]", "null", "pung"])
    def test_anything_else_is_told(self, frame: str) -> None:
        assert isinstance(stream().parse(frame)[0], StreamError)

    def test_subscribes_by_exchange_in_snap_quote(self) -> None:
        bse = replace(DEMO, key="BSE:DEMO", exchange="BSE", broker_exchange="BSE", token="5")
        (frame,) = stream().subscribe([DEMO, bse])
        asked = json.loads(frame)
        assert (asked["action"], asked["params"]["mode"]) == (1, 3)
        assert asked["params"]["tokenList"] == [
            {"exchangeType": 1, "tokens": ["9999"]},
            {"exchangeType": 3, "tokens": ["5"]},
        ]
        assert len(asked["correlationID"]) == 10

    def test_subscribes_many_in_pieces(self) -> None:
        many = [replace(DEMO, key=f"N{n}", token=str(n)) for n in range(1, 1001)]
        assert len(stream().subscribe(many)) == 2

    def test_leaves_out_what_has_no_number(self) -> None:
        assert stream().subscribe([replace(DEMO, token="")]) == []
