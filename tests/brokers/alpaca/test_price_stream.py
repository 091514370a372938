"""Alpaca's price frames: msgpack; cut and strange ones too."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from brokers.adapters.alpaca.client import Keys
from brokers.adapters.alpaca.endpoints import DataFeed, Environment
from brokers.adapters.alpaca.price_stream import PriceStream
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    StreamError,
    Ticks,
)
from tests.brokers.alpaca.market import share_ref

msgpack: Any = import_module("msgpack")  # it comes without types
AT = datetime(2026, 6, 17, 14, 30, tzinfo=UTC)


def prices(feed: DataFeed = DataFeed.IEX) -> PriceStream:
    stream = PriceStream(Keys("k", "s", Environment.PAPER, feed), clock=lambda: AT)
    stream.subscribe([share_ref()])
    return stream


def packed(*messages: object) -> bytes:
    frame: bytes = msgpack.packb(list(messages), datetime=True)
    return frame


def trade(price: object = 100.5, size: object = 7, symbol: str = "AAPL") -> dict[str, object]:
    return {"T": "t", "S": symbol, "p": price, "s": size, "t": AT, "c": ["@"], "x": "V"}


def quote(bid: object = 100.4, ask: object = 100.6) -> dict[str, object]:
    return {"T": "q", "S": "AAPL", "bp": bid, "bs": 2, "ap": ask, "as": 3, "t": AT}


class TestPriceFrames:
    @pytest.mark.parametrize(
        "frame",
        [b"", b"\xc1", "text", packed(1), msgpack.packb({"T": "t"}), packed({}),
         packed(trade(price="dear")), packed(trade(price=-1.0)), packed(trade(price=True)),
         packed(trade(price=float("nan"))), packed(trade(size=-1)), packed(trade(size=10**15)),
         packed({**trade(), "t": "yesterday"}), b"\x91" * 5000, b"\x00" * 5_000_000],
    )  # fmt: skip
    def test_a_strange_one_is_an_error_in_words(self, frame: Frame) -> None:
        (news,) = prices().parse(frame)
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    def test_every_cut_of_one_is_survived(self) -> None:
        frame = packed(trade(), quote())
        for length in range(len(frame)):
            (news,) = prices().parse(frame[:length])
            assert isinstance(news, StreamError)

    def test_one_strange_message_does_not_take_the_others(self) -> None:
        error, ticks = prices().parse(packed(trade(price="dear"), trade()))
        assert isinstance(error, StreamError)
        assert isinstance(ticks, Ticks)

    @pytest.mark.parametrize(
        ("code", "is_fatal", "is_auth"),
        [(400, False, False), (402, True, True), (404, True, False), (405, False, False),
         (406, True, False), (409, True, False), (500, False, False)],
    )  # fmt: skip
    def test_errors(self, code: int, is_fatal: bool, is_auth: bool) -> None:
        (news,) = prices().parse(packed({"T": "error", "code": code, "msg": "words"}))
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (is_fatal, is_auth)

    def test_a_trade(self) -> None:
        (news,) = prices().parse(packed(trade()))
        assert isinstance(news, Ticks)
        (tick,) = news.ticks
        assert (tick.key, tick.ltp, tick.volume, tick.at) == (
            "NASDAQ:AAPL", Decimal("100.5"), 7, AT,
        )  # fmt: skip

    def test_a_trade_told_twice_counts_once(self) -> None:
        stream, told = prices(), packed({**trade(), "i": 5})
        assert isinstance(stream.parse(told)[0], Ticks)
        assert isinstance(stream.parse(told)[0], Heartbeat)

    def test_a_trade_that_was_overtaken_is_not_the_last_price(self) -> None:
        stream = prices()
        stream.parse(packed(trade(price=101.0)))
        stream.parse(packed({**trade(price=99.0), "t": AT - timedelta(seconds=1)}))
        (ticks,) = stream.parse(packed(quote()))
        assert isinstance(ticks, Ticks)
        assert ticks.ticks[0].ltp == Decimal("101.0")

    def test_a_quote_waits_for_a_price(self) -> None:
        assert list(prices().parse(packed(quote()))) == [Heartbeat()]

    def test_a_quote_after_a_trade_trades_nothing(self) -> None:
        (news,) = prices().parse(packed(trade(), quote()))
        assert isinstance(news, Ticks)
        tick = news.ticks[1]
        assert (tick.ltp, tick.volume, tick.bid, tick.ask_quantity) == (
            Decimal("100.5"), 0, Decimal("100.4"), 3,
        )  # fmt: skip

    def test_nobody_quoting_is_none(self) -> None:
        (news,) = prices().parse(packed(trade(), quote(bid=0, ask=0)))
        assert isinstance(news, Ticks)
        assert (news.ticks[1].bid, news.ticks[1].ask) == (None, None)

    def test_what_was_not_asked_for_is_passed_over(self) -> None:
        assert list(prices().parse(packed(trade(symbol="MSFT")))) == [Heartbeat()]

    def test_times_come_as_text_too(self) -> None:
        (news,) = prices().parse(packed({**trade(), "t": "2026-06-17T14:30:00Z"}))
        assert isinstance(news, Ticks)
        assert news.ticks[0].at == AT

    def test_nanoseconds_are_cut(self) -> None:
        exact = msgpack.Timestamp(int(AT.timestamp()), 999_999_999)
        (news,) = prices().parse(packed({**trade(), "t": exact}))
        assert isinstance(news, Ticks)
        assert news.ticks[0].at.microsecond == 999_999

    def test_the_free_feed_carries_thirty(self) -> None:
        assert (prices().per_connection, prices(DataFeed.SIP).per_connection) == (30, 3000)

    def test_many_symbols_are_asked_for_in_parts(self) -> None:
        stream = prices(DataFeed.SIP)
        many = [
            type(share_ref())(
                key=f"NASDAQ:S{number}",
                exchange="NASDAQ",
                segment=share_ref().segment,
                trading_symbol=f"S{number}",
                instrument_type=share_ref().instrument_type,
                lot_size=1,
                tick_size=Decimal("0.01"),
            )
            for number in range(1200)
        ]
        frames = [msgpack.unpackb(frame) for frame in stream.subscribe(many)]
        assert [len(frame["trades"]) for frame in frames] == [500, 500, 200]
