"""Angel One's words, numbers and times in the house's; the price that protects."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.adapters.angel.envelope import read_envelope
from brokers.adapters.angel.protection import protected_price
from brokers.adapters.angel.words import status_of, time_of, time_of_fill
from brokers.gateway import BrokerStatus
from brokers.terms import Side
from brokers.values import Unreadable
from tests.brokers.angel.market import DEMO


class TestStatus:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("validation pending", BrokerStatus.PLACED),
            ("put order req received", BrokerStatus.PLACED),
            ("open pending", BrokerStatus.PLACED),
            ("AMO SUBMITTED", BrokerStatus.QUEUED_AMO),
            ("after market order req received", BrokerStatus.QUEUED_AMO),
            ("amo req received", BrokerStatus.QUEUED_AMO),
            ("modify amo req received", BrokerStatus.QUEUED_AMO),
            ("cancel amo req received", BrokerStatus.QUEUED_AMO),
            ("AMO CANCELLED", BrokerStatus.CANCELLED),
            ("CANCELLED  AMO", BrokerStatus.CANCELLED),
            ("modify after market order req received", BrokerStatus.QUEUED_AMO),
            ("open", BrokerStatus.OPEN),
            ("modified", BrokerStatus.OPEN),
            ("not modified", BrokerStatus.OPEN),
            ("not cancelled", BrokerStatus.OPEN),
            ("cancel pending", BrokerStatus.OPEN),
            ("trigger pending", BrokerStatus.TRIGGER_PENDING),
            ("complete", BrokerStatus.FILLED),
            ("executed", BrokerStatus.FILLED),
            ("cancelled", BrokerStatus.CANCELLED),
            ("cancelled after market order", BrokerStatus.CANCELLED),
            ("rejected", BrokerStatus.REJECTED),
            ("expired", BrokerStatus.EXPIRED),
        ],
    )
    def test_is_translated(self, word: str, status: BrokerStatus) -> None:
        assert status_of(word, filled=0, quantity=10) is status

    @pytest.mark.parametrize("word", ["", "teleported", "OPENED"])
    def test_that_is_unknown_is_never_guessed(self, word: str) -> None:
        with pytest.raises(Unreadable):
            status_of(word, filled=0, quantity=10)

    def test_open_with_some_filled_is_partly_filled(self) -> None:
        assert status_of("open", filled=4, quantity=10) is BrokerStatus.PARTIALLY_FILLED

    def test_cancelled_with_some_filled_is_cancelled(self) -> None:
        assert status_of("cancelled", filled=4, quantity=10) is BrokerStatus.CANCELLED

    @pytest.mark.parametrize("word", ["modified", "modify pending", "cancel pending"])
    def test_of_a_stop_that_is_being_changed_is_still_waiting(self, word: str) -> None:
        status = status_of(word, filled=0, quantity=10, is_stop=True)
        assert status is BrokerStatus.TRIGGER_PENDING

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("AB01", BrokerStatus.OPEN),
            ("AB02", BrokerStatus.CANCELLED),
            ("AB03", BrokerStatus.REJECTED),
            ("AB04", BrokerStatus.OPEN),
            ("AB05", BrokerStatus.FILLED),
            ("AB06", BrokerStatus.QUEUED_AMO),
            ("AB07", BrokerStatus.CANCELLED),
            ("AB08", BrokerStatus.QUEUED_AMO),
            ("AB09", BrokerStatus.PLACED),
            ("AB10", BrokerStatus.TRIGGER_PENDING),
            ("AB11", BrokerStatus.OPEN),
        ],
    )
    def test_comes_from_the_stream_s_code_where_there_is_no_word(
        self, code: str, status: BrokerStatus
    ) -> None:
        assert status_of("", filled=0, quantity=10, code=code) is status


class TestNumbers:
    def test_in_json_never_become_floats(self) -> None:
        envelope = read_envelope(b'{"status":true,"data":0.1}')
        assert envelope.data == Decimal("0.1")


class TestTimes:
    def test_are_indian(self) -> None:
        told = time_of("29-Dec-2023 09:01:02")
        assert told == datetime(2023, 12, 29, 3, 31, 2, tzinfo=UTC)

    def test_that_are_empty_are_none(self) -> None:
        assert time_of("") is None

    def test_of_another_form_are_refused(self) -> None:
        with pytest.raises(Unreadable):
            time_of("2023-12-29")

    def test_of_a_day_lie_behind(self) -> None:
        just_after_midnight = datetime(2023, 12, 28, 19, 0, tzinfo=UTC)
        told = time_of_fill("23:50:00", now=just_after_midnight)
        assert told == datetime(2023, 12, 28, 18, 20, tzinfo=UTC)

    def test_of_a_fill_may_have_their_date(self) -> None:
        told = time_of_fill("28-Dec-2023 23:50:00", now=datetime(2024, 1, 3, tzinfo=UTC))
        assert told == datetime(2023, 12, 28, 18, 20, tzinfo=UTC)

    def test_may_have_a_zone(self) -> None:
        assert time_of("2023-12-29T03:31:02Z") == datetime(2023, 12, 29, 3, 31, 2, tzinfo=UTC)


class TestProtection:
    @pytest.mark.parametrize(
        ("side", "last", "price"),
        [
            (Side.BUY, "50.00", "51.00"),
            (Side.SELL, "50.00", "49.00"),
            (Side.BUY, "101.00", "102.05"),
            (Side.SELL, "1000.00", "995.00"),
            (Side.SELL, "0.05", "0.05"),
        ],
    )
    def test_is_a_little_beyond_the_last_price_on_the_tick(
        self, side: Side, last: str, price: str
    ) -> None:
        told = protected_price(DEMO, side=side, last=Decimal(last))
        assert told == Decimal(price)
