"""The same thing under another name: an instrument is its number, its terms or its ISIN."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile

from brokers.models import PaperContract
from brokers.terms import InstrumentType, Segment
from market.directory import BrokerNumbers
from market.importing.losses import Edition
from market.importing.masters import stage_master, write_staged
from market.importing.rows import Listed
from market.models import (
    BrokerInstrument,
    Candle,
    ImportKind,
    ImportRun,
    Instrument,
    InstrumentName,
)
from market.naming import instruments_called
from market.selectors import find_instruments
from market.services import Starter, run_import, start_import
from tests.builders import NOW, make_instrument
from tests.market.files import CASH, KITE_HEADER, import_text, make_import_run

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 17)
INFY = "408065,1594,INFY,INFOSYS,0.0,,0.0,0.1,1,EQ,NSE,NSE\n"
INFOSYS = INFY.replace(",INFY,", ",INFOSYS,")


def import_kite(*rows: str, days: int = 0) -> ImportRun:
    at = NOW + timedelta(days=days)
    file = ContentFile((KITE_HEADER + "".join(rows)).encode(), name="kite.csv")
    run = start_import(file, kind=ImportKind.KITE_MASTER, by=Starter(), now=at)
    return run_import(run.pk, clock=lambda: at)


def option(token: str, strike: int, *, expiry: str = "2026-08-25", underlying: str = "HDFC") -> str:
    name = f"{underlying}26AUG{strike}CE"
    return f"{token},1,{name},{underlying},0.0,{expiry},{strike}.0,0.05,550,CE,NFO-OPT,NFO\n"


def share(token: str, symbol: str, isin: str = "") -> Listed:
    return Listed(
        key=f"NSE:{symbol}",
        trading_symbol=symbol,
        name=symbol,
        exchange="NSE",
        segment=Segment.NSE_EQ,
        instrument_type=InstrumentType.EQ,
        lot_size=1,
        tick_size=Decimal("0.05"),
        expiry=None,
        strike=None,
        option_type="",
        underlying="",
        token_exchange="NSE_EQ",
        token=token,
        broker_symbol=symbol,
        isin=isin,
    )


def write_list(listed: Iterable[Listed], *, days: int = 0) -> None:
    edition = Edition("dhan", TODAY + timedelta(days=days), is_whole=True, accept_loss=True)
    at = NOW + timedelta(days=days)
    run = make_import_run(at=at)
    write_staged(edition, run=run, staged=stage_master(listed), now=at)


def names_of(instrument: Instrument) -> list[tuple[str, date | None, date | None]]:
    rows = InstrumentName.objects.filter(instrument=instrument).order_by("pk")
    return list(rows.values_list("name", "effective_from", "effective_to"))


class TestTwoContractsOfOneMonth:
    WEEKLY = "1,1,BANKNIFTY2442448000CE,BANKNIFTY,0.0,2024-04-24,48000.0,0.05,15,CE,NFO-OPT,NFO\n"
    MONTHLY = "2,2,BANKNIFTY24APR48000CE,BANKNIFTY,0.0,2024-04-30,48000.0,0.05,15,CE,NFO-OPT,NFO\n"

    def test_are_two_instruments(self) -> None:
        run = import_kite(self.WEEKLY, self.MONTHLY)
        assert (run.rows_written, run.rows_skipped) == (2, 0)
        assert set(Instrument.objects.values_list("key", "expiry")) == {
            ("NFO:BANKNIFTY24APR2448000CE", date(2024, 4, 24)),
            ("NFO:BANKNIFTY30APR2448000CE", date(2024, 4, 30)),
        }

    def test_keep_their_brokers_own_names(self) -> None:
        import_kite(self.WEEKLY, self.MONTHLY)
        ref = BrokerNumbers().ref_of("kite", "NFO:BANKNIFTY24APR2448000CE")
        assert ref is not None
        assert (ref.broker_symbol, ref.token) == ("BANKNIFTY2442448000CE", "1")

    def test_that_claim_one_identity_are_an_error_by_line(self) -> None:
        twice = self.WEEKLY.replace("1,1,", "3,3,").replace("48000CE", "48000CE-X")
        run = import_kite(self.WEEKLY, self.MONTHLY, twice)
        assert run.rows_skipped == 1
        issue = run.issues.get()
        assert issue.line == 4
        assert issue.reason.startswith("Line 2 of this list is NFO:BANKNIFTY24APR2448000CE")


class TestARenamedShare:
    @pytest.mark.parametrize("days", [0, 1])
    def test_is_the_same_instrument(self, days: int) -> None:
        import_kite(INFY)
        held = Instrument.objects.get()
        run = import_kite(INFOSYS, days=days)
        assert (run.status, run.rows_skipped) == ("COMPLETED", 0)
        renamed = Instrument.objects.get()
        assert (renamed.pk, renamed.key) == (held.pk, "NSE:INFY")
        assert renamed.trading_symbol == "INFOSYS"
        assert BrokerNumbers().key_of("kite", exchange="NSE", token="408065") == "NSE:INFY"

    def test_has_both_names_with_their_days(self) -> None:
        import_kite(INFY)
        import_kite(INFOSYS, days=1)
        assert names_of(Instrument.objects.get()) == [
            ("INFY", None, TODAY),
            ("INFOSYS", TODAY + timedelta(days=1), None),
        ]

    def test_renamed_twice_on_one_day_has_no_name_of_no_day(self) -> None:
        import_kite(INFY)
        import_kite(INFOSYS.replace("INFOSYS", "INFO"), days=1)
        import_kite(INFOSYS, days=1)
        names = [name for name, *_ in names_of(Instrument.objects.get())]
        assert names == ["INFY", "INFOSYS"]

    @pytest.mark.parametrize("words", ["infy", "infos", "INFOSYS"])
    def test_is_found_by_both_names(self, words: str) -> None:
        import_kite(INFY)
        import_kite(INFOSYS.replace(",INFOSYS,0.0", ",THE COMPANY,0.0"), days=1)
        assert [each.key for each in find_instruments(words, on=TODAY)] == ["NSE:INFY"]

    def test_keeps_its_name_while_a_broker_that_lags_writes_the_old_one(self) -> None:
        import_kite(INFY)
        write_list([share("1594", "INFY")])
        import_kite(INFOSYS, days=1)
        write_list([share("1594", "INFY")], days=1)
        assert Instrument.objects.get().trading_symbol == "INFOSYS"

    def test_takes_the_prices_of_its_old_name(self) -> None:
        import_text(CASH, name="cash.csv")
        old = Instrument.objects.get(key="NSE:RELIANCE")
        import_kite("1,1,RELIANCE,R,0.0,,0.0,0.1,1,EQ,NSE,NSE\n")
        import_kite("1,1,RIL,R,0.0,,0.0,0.1,1,EQ,NSE,NSE\n", days=30)
        import_text(CASH, name="cash.csv")
        assert set(Candle.objects.values_list("instrument", flat=True)) >= {old.pk}
        assert not Instrument.objects.filter(trading_symbol="RELIANCE").exists()

    def test_leaves_its_name_to_another_share(self) -> None:
        """TATAMOTORS became TMPV, and a new share was listed as TATAMOTORS."""
        write_list([share("3456", "TATAMOTORS", "INE155A01022")])
        write_list([share("3456", "TMPV", "INE155A01022")], days=1)
        write_list(
            [share("3456", "TMPV", "INE155A01022"), share("9", "TATAMOTORS", "INE1TAE01010")],
            days=2,
        )
        old, new = Instrument.objects.order_by("pk")
        assert (old.key, old.trading_symbol) == ("NSE:TATAMOTORS", "TMPV")
        assert (new.key, new.trading_symbol) == ("NSE:TATAMOTORS@2", "TATAMOTORS")
        assert instruments_called({"NSE:TATAMOTORS": TODAY}) == {"NSE:TATAMOTORS": old.pk}
        later = TODAY + timedelta(days=9)
        assert instruments_called({"NSE:TATAMOTORS": later}) == {"NSE:TATAMOTORS": new.pk}

    def test_is_known_by_its_isin_under_a_new_number(self) -> None:
        write_list([share("7", "ALOK", "INE270A01029")])
        held = Instrument.objects.get()
        write_list([share("8", "ALOK-BE", "INE270A01029")], days=1)
        assert Instrument.objects.get() == held
        assert Instrument.objects.get().trading_symbol == "ALOK-BE"

    def test_is_none_where_its_number_went_to_another_isin_and_name(self) -> None:
        write_list([share("7", "ALOK", "INE270A01029")])
        write_list([share("7", "OTHER", "INE999A01029")], days=1)
        assert Instrument.objects.count() == 2

    def test_after_a_split_is_the_same_under_a_new_isin(self) -> None:
        write_list([share("7", "ALOK", "INE270A01029")])
        write_list([share("7", "ALOK", "INE270A01037")], days=1)
        assert Instrument.objects.get().isin == "INE270A01037"


class TestAnAdjustedContract:
    def test_of_a_bonus_is_the_same_contract_at_another_strike(self) -> None:
        import_kite(option("1", 2000))
        held = Instrument.objects.get()
        import_kite(option("1", 1000), days=1)
        adjusted = Instrument.objects.get()
        assert (adjusted.pk, adjusted.strike) == (held.pk, Decimal(1000))
        assert adjusted.trading_symbol == "HDFC25AUG261000CE"
        names = [name for name, *_ in names_of(adjusted)]
        assert names == ["HDFC25AUG262000CE", "HDFC25AUG261000CE"]

    def test_keeps_apart_strikes_that_move_onto_one_another(self) -> None:
        import_kite(option("1", 2000), option("2", 4000))
        low, high = Instrument.objects.order_by("strike")
        import_kite(option("1", 1000), option("2", 2000), option("3", 4000), days=1)
        strikes = dict(Instrument.objects.values_list("pk", "strike"))
        assert (strikes[low.pk], strikes[high.pk]) == (1000, 2000)
        assert set(strikes.values()) == {1000, 2000, 4000}
        assert Instrument.objects.count() == 3

    def test_is_followed_by_a_contract_that_gets_a_key_of_its_own(self) -> None:
        import_kite(option("1", 2000))
        import_kite(option("1", 1000), option("2", 2000), days=1)
        assert set(Instrument.objects.values_list("key", "strike")) == {
            ("NFO:HDFC25AUG262000CE", Decimal(1000)),
            ("NFO:HDFC25AUG262000CE@2", Decimal(2000)),
        }
        assert BrokerNumbers().key_of("kite", exchange="NFO", token="2") == (
            "NFO:HDFC25AUG262000CE@2"
        )

    def test_of_a_renamed_underlying_follows_it(self) -> None:
        import_kite(option("1", 2000))
        import_kite(option("1", 2000, underlying="HDFCBANK"), days=1)
        assert Instrument.objects.get().underlying == "HDFCBANK"

    def test_whose_expiry_a_holiday_moves_is_the_same(self) -> None:
        import_kite(option("1", 2000))
        import_kite(option("1", 2000, expiry="2026-08-24"), days=1)
        moved = Instrument.objects.get()
        assert (moved.expiry, moved.trading_symbol) == (date(2026, 8, 24), "HDFC24AUG262000CE")

    def test_whose_number_went_to_another_month_is_not(self) -> None:
        import_kite(option("1", 2000))
        held = Instrument.objects.get()
        import_kite(option("2", 2000), option("1", 2000, expiry="2026-09-29"), days=1)
        held.refresh_from_db()
        assert held.expiry == date(2026, 8, 25)
        assert BrokerNumbers().key_of("kite", exchange="NFO", token="2") == held.key

    def test_is_settled_by_its_new_strike_at_the_paper_broker(self) -> None:
        import_kite(option("1", 2000))
        ref = Instrument.objects.get().ref()
        PaperContract.objects.create(
            key=ref.key, exchange="NFO", segment="NSE_FNO", trading_symbol=ref.trading_symbol,
            instrument_type="CE", lot_size=550, tick_size="0.05", expiry=ref.expiry,
            strike=ref.strike,
        )  # fmt: skip
        import_kite(option("1", 1000), days=1)
        contract = PaperContract.objects.get()
        assert (contract.strike, contract.trading_symbol) == (1000, "HDFC25AUG261000CE")

    def test_another_kind_under_its_number_is_another_contract(self) -> None:
        others = [option(str(number), number * 100) for number in range(10, 20)]
        import_kite(option("1", 2000), *others)
        put = option("1", 2000).replace("CE,NFO", "PE,NFO").replace("2000CE", "2000PE")
        import_kite(put, *others)
        kinds = Instrument.objects.filter(strike=2000).values_list("instrument_type", flat=True)
        assert sorted(kinds) == ["CE", "PE"]
        listed = BrokerInstrument.objects.get(security_id="1", is_listed=True)
        assert listed.instrument.instrument_type == "PE"


class TestABrokersName:
    def test_finds_the_contract_in_a_file_and_in_the_search(self) -> None:
        import_kite(option("1", 2000))
        held = Instrument.objects.get()
        assert instruments_called({"NFO:HDFC26AUG2000CE": TODAY}) == {
            "NFO:HDFC26AUG2000CE": held.pk
        }
        assert find_instruments("hdfc26aug2000ce", on=TODAY) == [held]

    def test_of_several_contracts_names_none(self) -> None:
        import_kite(option("1", 2000), option("2", 2000, expiry="2026-08-18"))
        assert Instrument.objects.count() == 2
        assert instruments_called({"NFO:HDFC26AUG2000CE": TODAY}) == {}


class TestANameOfTwo:
    def test_means_what_had_it_first(self) -> None:
        shares = [make_instrument("BSE:INFRA"), make_instrument("BSE:INFRA@INDEX")]
        Instrument.objects.update(trading_symbol="INFRA")
        assert instruments_called({"BSE:INFRA": TODAY}) == {"BSE:INFRA": shares[0].pk}

    def test_means_what_is_still_traded(self) -> None:
        shares = [make_instrument("BSE:INFRA", is_active=False), make_instrument("BSE:INFRA@2")]
        Instrument.objects.update(trading_symbol="INFRA")
        assert instruments_called({"BSE:INFRA": TODAY}) == {"BSE:INFRA": shares[1].pk}
