"""The ticker's bytes and texts, as the vendor's tables lay them out."""

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from brokers.adapters.kite.streams import KiteStream, open_stream, packet_lengths
from brokers.gateway import BrokerStatus, InstrumentRef, QuoteTick
from brokers.streaming.protocol import Heartbeat, OrderNews, StreamError, StreamKind, Ticks
from brokers.terms import InstrumentType, Segment
from tests.brokers.kite.market import KiteStand, share_ref

NOW = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
AT = int(datetime(2026, 6, 17, 4, 59, 58, tzinfo=UTC).timestamp())
SHARE = replace(share_ref(), token="408065")  # INFY: 1594 << 8 | 1
NIFTY = replace(
    SHARE,
    key="NSE:NIFTY 50",
    segment=Segment.IDX,
    instrument_type=InstrumentType.INDEX,
    token="256265",
)
RUPEE = replace(SHARE, key="CDS:USDINR26JUNFUT", segment=Segment.CDS_FUT, token="412675")
SECRETS = {"api_key": "key", "access_token": "sesame"}


def stream(kind: StreamKind = StreamKind.MARKET, *subscribed: InstrumentRef) -> KiteStream:
    made = KiteStream(
        kind, secrets=SECRETS, key_of=lambda _, token: f"KEY{token}", clock=lambda: NOW
    )
    made.subscribe(subscribed or (SHARE, NIFTY, RUPEE))
    return made


def frame(*packets: bytes) -> bytes:
    parts = [struct.pack(">H", len(packet)) + packet for packet in packets]
    return struct.pack(">H", len(packets)) + b"".join(parts)


def ltp(token: int = 408065, price: int = 157_370) -> bytes:
    return struct.pack(">2I", token, price)


def quote(*, token: int = 408065, price: int = 157_370, volume: int = 1000) -> bytes:
    return struct.pack(
        ">11I", token, price, 7, 157_037, volume, 10, 20, 156_915, 157_500, 156_105, 156_780
    )


def full(*, volume: int = 1000, at: int = AT, interest: int = 0) -> bytes:
    head = quote(volume=volume) + struct.pack(">5I", AT - 1, interest, 0, 0, at)
    bids = b"".join(struct.pack(">2IHxx", 5 + n, 157_340 - n, 1) for n in range(5))
    asks = b"".join(struct.pack(">2IHxx", 50 + n, 157_375 + n, 3) for n in range(5))
    return head + bids + asks


def index_full(at: int = AT) -> bytes:
    return struct.pack(">6IiI", 256265, 2_500_005, 0, 0, 0, 2_490_000, -100, at)


def ticks(made: KiteStream, *packets: bytes) -> tuple[QuoteTick, ...]:
    (news,) = made.parse(frame(*packets))
    assert isinstance(news, Ticks), news
    return news.ticks


class TestFramesThatCannotBeRead:
    @pytest.mark.parametrize("length", range(2, 184 + 4))
    def test_a_frame_cut_off_anywhere_is_an_error_and_no_price(self, length: int) -> None:
        (news,) = stream().parse(frame(full())[:length])
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    @pytest.mark.parametrize(
        "told",
        [
            b"",
            b"\xff\xff",
            b"\xff\xff" + b"\x00" * 100,
            frame(full()) + b"\x00",
            b"\x00\x01\xff\xff" + b"\x00" * 20,
            b"\x00" * ((1 << 20) + 1),
        ],
    )
    def test_nonsense_is_an_error_that_ends_nothing(self, told: bytes) -> None:
        (news,) = stream().parse(told)
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    def test_a_packet_of_unknown_length_does_not_spoil_the_others(self) -> None:
        error, news = stream().parse(frame(b"\x00" * 60, ltp()))
        assert isinstance(error, StreamError)
        assert isinstance(news, Ticks)
        assert len(news.ticks) == 1

    def test_a_packet_too_short_for_a_number_is_an_error(self) -> None:
        (news,) = stream().parse(frame(b"\x01", ltp()))
        assert isinstance(news, StreamError)

    @pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"type": "mystery"}', "[" * 100_000])
    def test_a_text_that_says_nothing_known(self, text: str) -> None:
        (news,) = stream().parse(text)
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    def test_frames_of_no_packets_are_signs_of_life(self) -> None:
        assert stream().parse(b"\x00\x00") == [Heartbeat()]

    def test_lengths_must_fill_the_frame(self) -> None:
        assert packet_lengths(frame(ltp(), quote())) == [8, 44]
        assert packet_lengths(frame(ltp())[:-1]) is None


class TestPrices:
    def test_a_byte_is_a_heartbeat(self) -> None:
        assert stream().parse(b"\x00") == [Heartbeat()]

    def test_the_shortest_packet_has_a_price_as_of_now(self) -> None:
        assert ticks(stream(), ltp()) == (QuoteTick(SHARE.key, Decimal("1573.7"), NOW),)

    def test_the_longest_has_its_time_and_the_best_prices(self) -> None:
        (tick,) = ticks(stream(), full(interest=12))
        assert tick.at == datetime.fromtimestamp(AT, UTC)
        assert (tick.bid, tick.bid_quantity) == (Decimal("1573.4"), 5)
        assert (tick.ask, tick.ask_quantity) == (Decimal("1573.75"), 50)
        assert tick.open_interest == 12

    def test_an_index_has_its_time_and_nothing_traded(self) -> None:
        (tick,) = ticks(stream(), index_full())
        assert (tick.key, tick.ltp, tick.volume) == (NIFTY.key, Decimal("25000.05"), 0)
        assert tick.at == datetime.fromtimestamp(AT, UTC)

    def test_currencies_have_seven_decimals(self) -> None:
        (tick,) = ticks(stream(), ltp(412675, 727_550_000))
        assert tick.ltp == Decimal("72.755")

    def test_volume_is_what_traded_since_the_last_tick(self) -> None:
        made = stream()
        totals = (1000, 1040, 1040, 1010, 1050)
        told = [ticks(made, quote(volume=total))[0].volume for total in totals]
        assert told == [0, 40, 0, 0, 10]

    def test_a_new_day_counts_from_nothing(self) -> None:
        made = stream()
        ticks(made, full(volume=5000))
        assert ticks(made, full(volume=70, at=AT + 86_400))[0].volume == 70

    def test_volume_is_counted_for_each_socket(self) -> None:
        ticks(stream(), quote(volume=1000))
        assert ticks(stream(), quote(volume=5000))[0].volume == 0

    def test_what_was_not_asked_for_is_passed_over(self) -> None:
        assert ticks(stream(StreamKind.MARKET, SHARE), ltp(1), ltp()) != ()
        assert ticks(stream(StreamKind.MARKET, SHARE), ltp(1)) == ()

    @pytest.mark.parametrize("price", [0, 0xFFFFFFFF])
    def test_a_price_of_nothing_or_below_is_no_price(self, price: int) -> None:
        assert ticks(stream(), ltp(price=price)) == ()

    def test_an_instrument_that_has_not_traded_tells_no_time(self) -> None:
        (tick,) = ticks(stream(), index_full(at=0))
        assert tick.at == NOW

    def test_many_packets_of_a_frame(self) -> None:
        assert len(ticks(stream(), ltp(), index_full(), full())) == 3


class TestAsking:
    def test_tokens_are_asked_for_in_full(self) -> None:
        asked = [json.loads(each) for each in stream().subscribe([SHARE, NIFTY])]
        assert asked == [
            {"a": "subscribe", "v": [408065, 256265]},
            {"a": "mode", "v": ["full", [408065, 256265]]},
        ]

    def test_many_are_asked_for_in_parts(self) -> None:
        many = [replace(SHARE, token=str(number)) for number in range(1, 1201)]
        asked = [json.loads(each) for each in stream().subscribe(many)]
        assert [len(each["v"]) for each in asked if each["a"] == "subscribe"] == [500, 500, 200]

    def test_what_has_no_number_cannot_be_asked_for(self) -> None:
        assert stream().subscribe([replace(SHARE, token="")]) == []

    def test_what_is_given_up_is_told_no_more(self) -> None:
        made = stream()
        assert json.loads(made.unsubscribe([SHARE])[0]) == {"a": "unsubscribe", "v": [408065]}
        assert ticks(made, ltp()) == ()

    def test_the_address_carries_the_session(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {}
        assert stream().url() == "wss://ws.kite.trade/?api_key=key&access_token=sesame"

    def test_a_simulator_is_asked_on_its_own_port(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {"kite": "http://127.0.0.1:9102"}
        assert stream().url().startswith("ws://127.0.0.1:9102/?api_key")

    def test_limits_are_kite_s(self) -> None:
        assert (stream().per_connection, stream().connections) == (3000, 3)
        assert stream().heartbeat() is None
        assert stream().stale_after < 30


class TestOrders:
    ROW: dict[str, Any] = {
        "order_id": "1",
        "status": "COMPLETE",
        "exchange": "NSE",
        "instrument_token": 408065,
        "order_type": "LIMIT",
        "transaction_type": "BUY",
        "product": "MIS",
        "quantity": 10,
        "filled_quantity": 10,
        "average_price": 100.05,
        "tag": "MINE",
        "exchange_update_timestamp": "2026-06-17 10:29:59",
    }

    def told(self, kind: StreamKind = StreamKind.ORDERS, **changes: object) -> Any:
        text = json.dumps({"type": "order", "data": {**self.ROW, **changes}})
        (news,) = stream(kind).parse(text)
        return news

    def test_an_order_is_reported_exactly(self) -> None:
        (order,) = self.told().orders
        assert (order.status, order.tag) == (BrokerStatus.FILLED, "MINE")
        assert (order.instrument_key, order.average_price) == ("KEY408065", Decimal("100.05"))

    def test_no_fill_is_told_one_by_one(self) -> None:
        assert self.told().trades == ()

    def test_an_update_is_a_part_filled(self) -> None:
        (order,) = self.told(status="UPDATE", filled_quantity=4).orders
        assert order.status is BrokerStatus.PARTIALLY_FILLED

    @pytest.mark.parametrize("changes", [{"status": "NEWS"}, {"order_id": None}, {"quantity": "x"}])
    def test_an_order_that_makes_no_sense_is_an_error(self, changes: dict[str, Any]) -> None:
        assert isinstance(self.told(**changes), StreamError)

    def test_the_price_socket_leaves_orders_to_the_other(self) -> None:
        assert self.told(StreamKind.MARKET) == Heartbeat()

    def test_the_order_socket_leaves_prices_to_the_other(self) -> None:
        assert stream(StreamKind.ORDERS).parse(frame(full())) == [Heartbeat()]

    @pytest.mark.parametrize("kind", ["message", "instruments_meta"])
    def test_announcements_are_signs_of_life(self, kind: str) -> None:
        assert stream().parse(json.dumps({"type": kind, "data": "x"})) == [Heartbeat()]

    @pytest.mark.parametrize(
        ("words", "is_doubtful"),
        [
            ("Invalid `access_token`", True),
            ("Trading session closed for the day", True),
            ("Too many sockets for this api_key", True),
            ("Too many instruments", False),
            (None, False),
        ],
    )
    def test_an_error_casts_doubt_on_the_session_and_no_more(
        self, words: str, is_doubtful: bool
    ) -> None:
        (news,) = stream().parse(json.dumps({"type": "error", "data": words}))
        assert isinstance(news, StreamError)
        assert (news.is_auth, news.is_doubtful) == (False, is_doubtful)

    def test_the_instrument_is_looked_up(self, stand: KiteStand) -> None:
        made = open_stream(StreamKind.ORDERS, secrets=SECRETS, credentials={})
        (news,) = made.parse(json.dumps({"type": "order", "data": self.ROW}))
        assert isinstance(news, OrderNews)
        assert [each.instrument_key for each in news.orders] == ["NSE:INFY"]

    def test_an_instrument_that_is_unknown_is_told_as_such(self, stand: KiteStand) -> None:
        made = open_stream(StreamKind.ORDERS, secrets=SECRETS, credentials={})
        row = {**self.ROW, "instrument_token": 7}
        (news,) = made.parse(json.dumps({"type": "order", "data": row}))
        assert isinstance(news, OrderNews)
        assert news.orders[0].instrument_key == "KITE?NSE:7"

    def test_news_are_of_the_shared_kind(self) -> None:
        assert isinstance(self.told(), OrderNews)
