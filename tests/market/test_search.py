from datetime import date
from decimal import Decimal

import pytest

from brokers.terms import InstrumentType, Segment
from market.auction import forget_auction_shares
from market.selectors import find_instruments
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 17)


def make_contract(symbol: str, expiry: date, strike: str | None = None) -> None:
    make_instrument(
        f"NFO:{symbol}",
        segment=Segment.NSE_FNO,
        instrument_type=InstrumentType.CE if strike else InstrumentType.FUT,
        underlying="RELIANCE",
        expiry=expiry,
        strike=strike and Decimal(strike),
    )
    forget_auction_shares()


def keys_of(words: str) -> list[str]:
    return [instrument.key for instrument in find_instruments(words, on=TODAY)]


class TestFindInstruments:
    @pytest.mark.parametrize("words", ["%", "_", "R_L", "RE%E", "\\", "'; --"])
    def test_takes_no_wildcards(self, words: str) -> None:
        make_instrument()

        assert keys_of(words) == []

    def test_puts_the_share_before_two_hundred_contracts(self) -> None:
        make_instrument("NSE:RELIANCE")
        for strike in range(1000, 1210):
            make_contract(f"RELIANCE26JUN{strike}CE", date(2026, 6, 30), str(strike))

        assert keys_of("reliance")[0] == "NSE:RELIANCE"

    def test_puts_shares_with_futures_first(self) -> None:
        make_instrument("NSE:RELAXO")
        make_instrument("NSE:RELIANCE")
        make_contract("RELIANCE26JUNFUT", date(2026, 6, 30))

        assert keys_of("rel") == ["NSE:RELIANCE", "NSE:RELAXO", "NFO:RELIANCE26JUNFUT"]

    def test_puts_the_national_exchange_first(self) -> None:
        make_instrument("BSE:INFY", segment=Segment.BSE_EQ)
        make_instrument("NSE:INFY")

        assert keys_of("infy") == ["NSE:INFY", "BSE:INFY"]

    def test_finds_a_contract_by_strike_and_type(self) -> None:
        make_contract("RELIANCE26JUN1000CE", date(2026, 6, 30), "1000")
        make_contract("RELIANCE26JUN1020CE", date(2026, 6, 30), "1020")

        assert keys_of("reliance 1020 ce") == ["NFO:RELIANCE26JUN1020CE"]

    def test_leaves_out_what_has_expired(self) -> None:
        make_contract("RELIANCE26MAYFUT", date(2026, 5, 26))

        assert keys_of("reliance") == []
