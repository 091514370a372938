"""Numbers, times and names as brokers write them."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from brokers import values
from brokers.gateway import BrokerStatus
from brokers.values import Unreadable

INDIA = ZoneInfo("Asia/Kolkata")
NOTHING = [
    None, "", " ", "-", "--", "NA", "n/a", "null", "None", -(2**31), "-2147483648",
    Decimal("-3.4028234663852886E+38"), 3.4028234663852886e38, 1.7976931348623157e308, 2**64 - 1,
]  # fmt: skip


class TestNothing:
    @pytest.mark.parametrize("told", NOTHING, ids=str)
    def test_is_no_number_where_one_must_be(self, told: object) -> None:
        with pytest.raises(Unreadable, match="netqty"):
            values.number(told, "netqty")

    @pytest.mark.parametrize("told", NOTHING, ids=str)
    def test_is_none_where_it_may_be(self, told: object) -> None:
        assert values.price(told, "price") is None
        assert values.count_or_none(told, "oi") is None
        assert values.count_or_zero(told, "t1") == 0
        assert values.text(told) == ""

    @pytest.mark.parametrize("told", [0, "0", "1", Decimal("0.05"), "NANO", "NATIONALUM"])
    def test_is_not_what_only_looks_like_it(self, told: object) -> None:
        assert not values.is_nothing(told)


class TestNumbers:
    @pytest.mark.parametrize(
        ("told", "number"),
        [
            ("- 2235.80", "-2235.80"), ("1,000.50", "1000.50"), ("1,00,000", "100000"),
            (Decimal("10.55"), "10.55"), (7, "7"), (0.1, "0.1"), ("+5", "5"), (".5", "0.5"),
            ("1e2", "100"),
        ],
    )  # fmt: skip
    def test_are_exact_however_they_are_written(self, told: object, number: str) -> None:
        assert values.number(told, "x") == Decimal(number)

    @pytest.mark.parametrize(
        "told",
        ["NaN", "Infinity", "ten", "1_000", "१२", "0x10", True, [], {}, "9" * 200, 10**400,
         "9999999999999", "1E+99", "1E-400000", Decimal("NaN")],
    )  # fmt: skip
    def test_that_cannot_be_are_refused(self, told: object) -> None:
        with pytest.raises(Unreadable):
            values.number(told, "net")

    @pytest.mark.parametrize("told", ["1.5", 10**9, "-1"])
    def test_of_shares_are_whole_and_bounded(self, told: object) -> None:
        with pytest.raises(Unreadable):
            values.count(told, "quantity", least=0)

    @pytest.mark.parametrize("told", [-1, "1000000000"])
    def test_of_prices_are_bounded(self, told: object) -> None:
        with pytest.raises(Unreadable):
            values.price(told, "price")

    def test_a_price_of_zero_is_none(self) -> None:
        assert values.price("0.00", "price") is None


class TestTimes:
    @pytest.mark.parametrize(
        "told",
        ["2026-06-17 10:30:00", "2026-06-17T10:30:00+05:30", "2026-06-17T05:00:00Z",
         "2026-06-17 10:30:00.000", "17/06/2026 10:30:00"],
    )  # fmt: skip
    def test_are_read_with_a_zone_and_without(self, told: object) -> None:
        at = values.moment(told, zone=INDIA, formats=("%d/%m/%Y %H:%M:%S",))
        assert at == datetime(2026, 6, 17, 5, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        "told", [None, "NA", "0001-01-01 00:00:00", "1980-01-01 00:00:00", 0, "0"]
    )
    def test_of_a_clock_that_was_never_set_are_none(self, told: object) -> None:
        assert values.moment(told, zone=INDIA) is None

    @pytest.mark.parametrize(
        "told", ["yesterday", "2026-06-17", 20260617, True, [], "9999-12-31T23:59:59-23:59"]
    )
    def test_that_are_none_are_refused(self, told: object) -> None:
        with pytest.raises(Unreadable):
            values.moment(told, zone=INDIA)


class TestNames:
    @pytest.mark.parametrize(
        "told", [None, "", "NA", "null", [], {}, True, "a\nb", "15\x0012", "15\ud800"]
    )
    def test_that_a_row_must_have(self, told: object) -> None:
        with pytest.raises(Unreadable, match="order_id"):
            values.required({"order_id": told}, "order_id")

    def test_may_be_numbers(self) -> None:
        assert values.required({"id": 1857148}, "id") == "1857148"

    def test_are_texts_that_a_database_keeps(self) -> None:
        assert values.text("a\x00\ud800b") == "a?b"


class TestWhatHasFilled:
    def of(self, told: object, status: BrokerStatus, remaining: object = None) -> int:
        return values.filled(told, quantity=10, status=lambda _: status, remaining=remaining)

    def test_is_what_is_told(self) -> None:
        assert self.of("4", BrokerStatus.OPEN) == 4

    def test_of_a_complete_order_is_all_of_it(self) -> None:
        assert self.of("--", BrokerStatus.FILLED) == 10

    @pytest.mark.parametrize("status", [BrokerStatus.REJECTED, BrokerStatus.TRIGGER_PENDING])
    def test_of_one_that_never_worked_is_nothing(self, status: BrokerStatus) -> None:
        assert self.of(None, status, remaining=0) == 0

    def test_is_all_but_the_rest(self) -> None:
        assert self.of(None, BrokerStatus.CANCELLED, remaining="6") == 4

    @pytest.mark.parametrize("status", [BrokerStatus.EXPIRED, BrokerStatus.CANCELLED])
    @pytest.mark.parametrize("remaining", [0, "0", "0.0"])
    def test_is_not_guessed_of_what_ended_with_nothing_remaining(
        self, status: BrokerStatus, remaining: object
    ) -> None:
        with pytest.raises(Unreadable, match="nothing remains"):
            self.of(None, status, remaining)

    @pytest.mark.parametrize("status", [BrokerStatus.OPEN, BrokerStatus.CANCELLED])
    def test_is_not_guessed(self, status: BrokerStatus) -> None:
        with pytest.raises(Unreadable):
            self.of(None, status)
