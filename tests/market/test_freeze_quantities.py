"""The freeze quantity of a day and the lot of an expiry, from the dated rows."""

from datetime import date

import pytest

from brokers.terms import Exchange, InstrumentType, Segment
from market.models import FreezeRule, Instrument
from market.rules.freeze import freeze_quantity
from market.rules.lots import odd_lot_words, ruled_lot
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db
LAST_OF_THE_SLABS, FIRST_OF_THE_LIMITS = date(2026, 10, 4), date(2026, 10, 5)


def option_on(underlying: str, exchange: str = "NFO", **fields: object) -> Instrument:
    return make_instrument(
        f"{exchange}:{underlying}29DEC2624000CE",
        **{
            "segment": Segment.NSE_FNO,
            "instrument_type": InstrumentType.CE,
            "underlying": underlying,
            "expiry": date(2026, 12, 29),
            "lot_size": 65,
            **fields,
        },
    )


class TestFreezeQuantity:
    def test_is_unknown_where_no_rule_and_no_list_says_it(self) -> None:
        assert freeze_quantity(option_on("RELIANCE"), on=FIRST_OF_THE_LIMITS) is None

    def test_is_unknown_before_the_first_rule(self) -> None:
        assert freeze_quantity(option_on("NIFTY"), on=date(2019, 1, 1)) is None

    def test_of_a_share_is_no_rule_of_its_contracts(self) -> None:
        share = make_instrument("NSE:NIFTY", underlying="NIFTY")
        assert freeze_quantity(share, on=FIRST_OF_THE_LIMITS) is None

    @pytest.mark.parametrize(
        ("underlying", "quantity"),
        [
            ("NIFTY", 3510),
            ("BANKNIFTY", 1440),
            ("FINNIFTY", 3240),
            ("MIDCPNIFTY", 5760),
            ("NIFTYNXT50", 1125),
        ],
    )
    def test_of_an_index_is_the_limit_in_force(self, underlying: str, quantity: int) -> None:
        assert freeze_quantity(option_on(underlying), on=date(2026, 12, 1)) == quantity

    def test_changes_on_the_day_of_the_next_rule(self) -> None:
        option = option_on("BANKNIFTY")
        assert freeze_quantity(option, on=LAST_OF_THE_SLABS) == 600
        assert freeze_quantity(option, on=FIRST_OF_THE_LIMITS) == 1440

    def test_on_the_bse_is_its_own(self) -> None:
        assert freeze_quantity(option_on("SENSEX", "BFO"), on=FIRST_OF_THE_LIMITS) == 1000

    def test_of_a_stock_is_what_its_list_says(self) -> None:
        option = option_on("RELIANCE", freeze_quantity=20_000)
        assert freeze_quantity(option, on=FIRST_OF_THE_LIMITS) == 20_000

    def test_of_an_operators_row_goes_before_the_shipped_one_of_its_day(self) -> None:
        FreezeRule.objects.create(
            exchange="NSE",
            underlying="NIFTY",
            freeze_quantity=7000,
            effective_from=FIRST_OF_THE_LIMITS,
            is_shipped=False,
        )
        assert freeze_quantity(option_on("NIFTY"), on=FIRST_OF_THE_LIMITS) == 7000


class TestRuledLot:
    def test_is_unknown_where_weekly_and_monthly_contracts_differ(self) -> None:
        assert ruled_lot(Exchange.NFO, "NIFTY", expiry=date(2025, 1, 30)) is None

    @pytest.mark.parametrize(
        ("underlying", "expiry", "lot"),
        [
            ("NIFTY", date(2021, 7, 8), 75),
            ("NIFTY", date(2024, 4, 25), 50),
            ("NIFTY", date(2025, 12, 30), 75),
            ("NIFTY", date(2026, 1, 6), 65),
            ("BANKNIFTY", date(2024, 4, 24), 15),
        ],
    )
    def test_belongs_to_the_expiry(self, underlying: str, expiry: date, lot: int) -> None:
        assert ruled_lot(Exchange.NFO, underlying, expiry=expiry) == lot


class TestOddLotWords:
    def test_name_the_expiry_of_a_contract(self) -> None:
        assert odd_lot_words(option_on("NIFTY"), 55) == (
            "55 are less than a lot of 65 and must wait for the expiry on 29 Dec 2026"
        )

    def test_send_the_owner_of_a_share_to_the_broker(self) -> None:
        words = odd_lot_words(make_instrument(lot_size=1000), 400)
        assert words == "400 are less than a lot of 1,000: sell them at the broker as an odd lot"
