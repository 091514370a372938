from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile

from brokers.terms import InstrumentType, Segment
from market.models import (
    BrokerInstrument,
    ImportKind,
    ImportStatus,
    Instrument,
    InstrumentTerms,
)
from market.services import Starter, run_import, start_import
from tests.builders import NOW
from tests.market.files import (
    ANGEL,
    DHAN,
    DHAN_HEADER,
    KITE,
    KITE_FUTURE,
    KITE_HEADER,
    KITE_SHARE,
    import_text,
)

pytestmark = pytest.mark.django_db


def import_on(days: int, content: str) -> None:
    """Import Kite's file some days after the first time."""
    later = NOW + timedelta(days=days)
    file = ContentFile(content.encode(), name="kite.csv")
    run = start_import(file, kind=ImportKind.KITE_MASTER, by=Starter(), now=later)
    run_import(run.pk, clock=lambda: later)


class TestKiteMaster:
    def test_without_a_needed_column_is_refused_in_words(self) -> None:
        run = import_text("tradingsymbol,exchange\nRELIANCE,NSE\n", kind=ImportKind.KITE_MASTER)

        assert run.status == ImportStatus.FAILED
        assert "column instrument_token is missing" in run.error_message

    def test_lists_shares_contracts_and_indices(self) -> None:
        run = import_text(KITE)

        assert (run.kind, run.status, run.rows_written) == ("kite_master", "COMPLETED", 4)
        assert set(Instrument.objects.values_list("key", flat=True)) == {
            "NSE:RELIANCE",
            "NFO:NIFTY25AUG26FUT",
            "NFO:NIFTY25AUG2624350CE",
            "NSE:NIFTY 50",
        }

    def test_keeps_the_terms_of_an_option(self) -> None:
        import_text(KITE)

        option = Instrument.objects.get(key="NFO:NIFTY25AUG2624350CE")
        assert (option.lot_size, option.tick_size, option.strike) == (
            65,
            Decimal("0.05"),
            Decimal(24350),
        )
        assert (option.expiry, option.underlying, option.option_type) == (
            date(2026, 8, 25),
            "NIFTY",
            "CE",
        )

    def test_names_what_contracts_call_an_index(self) -> None:
        import_text(KITE)

        index = Instrument.objects.get(key="NSE:NIFTY 50")
        assert (index.instrument_type, index.segment, index.underlying) == (
            InstrumentType.INDEX,
            Segment.IDX,
            "NIFTY",
        )

    def test_keeps_the_brokers_number(self) -> None:
        import_text(KITE)

        token = BrokerInstrument.objects.get(broker_type="kite", security_id="738561")
        assert token.instrument.key == "NSE:RELIANCE"

    def test_says_which_day_it_confirmed(self) -> None:
        import_text(KITE, at=NOW)

        assert Instrument.objects.get(key="NSE:RELIANCE").refreshed_on == date(2026, 6, 17)

    def test_twice_changes_nothing(self) -> None:
        import_text(KITE)

        run = import_text(KITE)

        assert (run.rows_written, run.rows_unchanged) == (0, 4)
        assert BrokerInstrument.objects.count() == 4

    def test_leaves_out_an_instrument_that_comes_twice(self) -> None:
        run = import_text(KITE + KITE_SHARE)

        assert (run.rows_written, run.rows_skipped) == (4, 1)
        assert "Line 2 of this list is NSE:RELIANCE already" in run.issues.get().reason

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (",FUT,NFO-FUT", ",SWAP,NFO-FUT", "The instrument type 'SWAP' is unknown"),
            ("NFO-FUT,NFO", "NFO-FUT,NCO", "The exchange NCO is not traded here"),
            ("2026-08-25", "46259", "a spreadsheet's day number"),
            ("2026-08-25", "2026-02-31", "is not a date"),
            ("2026-08-25", "0001-01-01", "is not between 1980 and 2100"),
            (",65,", ",1E10,", "in scientific form"),
            (",65,", ",6.5,", "it is a whole number from 0 on"),
            (",0.1,", ",0,", "The tick size is zero"),
            ("NIFTY26AUGFUT", "=cmd|'/c calc'!A0", "begins as a spreadsheet formula does"),
            ("NIFTY26AUGFUT", "+1+1", "begins as a spreadsheet formula does"),
            ("NIFTY26AUGFUT", "@SUM(A1)", "begins as a spreadsheet formula does"),
            ("NIFTY26AUGFUT", "NIFTY\u202eFUT", "cannot be printed"),
            ("NIFTY26AUGFUT", "", "The symbol is missing"),
        ],
    )
    def test_leaves_a_bad_row_out_with_its_line(self, old: str, new: str, reason: str) -> None:
        run = import_text(KITE_HEADER + KITE_SHARE + KITE_FUTURE.replace(old, new))

        issue = run.issues.get()
        assert (run.status, run.rows_written) == ("COMPLETED", 1)
        assert issue.line == 3
        assert reason in issue.reason


class TestChangedTerms:
    def test_are_not_dated_at_the_first_sight(self) -> None:
        import_on(0, KITE)

        assert not InstrumentTerms.objects.exists()

    def test_keep_what_held_before(self) -> None:
        import_on(0, KITE)

        import_on(7, KITE.replace(",65,FUT", ",75,FUT"))

        terms = InstrumentTerms.objects.order_by("effective_from")
        assert list(terms.values_list("effective_from", "lot_size")) == [
            (date(2026, 6, 17), 65),
            (date(2026, 6, 24), 75),
        ]
        assert Instrument.objects.get(key="NFO:NIFTY25AUG26FUT").lot_size == 75

    def test_on_the_same_day_are_corrected(self) -> None:
        import_on(0, KITE)
        import_on(7, KITE.replace(",65,FUT", ",75,FUT"))

        import_on(7, KITE.replace(",65,FUT", ",70,FUT"))

        assert InstrumentTerms.objects.get(effective_from=date(2026, 6, 24)).lot_size == 70

    def test_are_written_once_for_the_same_file(self) -> None:
        import_on(0, KITE)
        changed = KITE.replace(",65,FUT", ",75,FUT")
        import_on(7, changed)

        import_on(8, changed)

        assert InstrumentTerms.objects.count() == 2


class TestDhanMaster:
    def test_reads_ticks_of_shares_in_paise(self) -> None:
        import_text(DHAN)

        assert Instrument.objects.get(key="NSE:RELIANCE").tick_size == Decimal("0.10")

    def test_reads_ticks_of_indices_in_rupees(self) -> None:
        import_text(DHAN)

        index = Instrument.objects.get(key="NSE:NIFTY 50")
        assert (index.tick_size, index.expiry) == (Decimal("0.05"), None)

    def test_names_another_series_after_the_symbol(self) -> None:
        import_text(DHAN)

        assert Instrument.objects.get(key="NSE:SUNFARM-SM").lot_size == 1200

    def test_keeps_an_index_apart_from_a_share_of_its_name(self) -> None:
        share = "BSE,E,544704,EQUITY,0,INFRA,1,Infra ETF,,,,1,NA,ETF,B,Mirae\r\n"
        index = "BSE,I,85,INDEX,0,INFRA,1,Infrastructure,0001-01-01,,XX,0.01,,INDEX,X,INFRA\r\n"
        for rows in (share + index, index + share):
            run = import_text(DHAN_HEADER + rows)
            assert (run.status, run.rows_skipped) == ("COMPLETED", 0)
        assert set(Instrument.objects.values_list("key", "instrument_type")) == {
            ("BSE:INFRA", "EQ"),
            ("BSE:INFRA@INDEX", "INDEX"),
        }

    def test_calls_a_contract_as_the_exchange_does(self) -> None:
        import_text(DHAN)

        option = Instrument.objects.get(key="NFO:NIFTY25AUG2624350CE")
        assert (option.lot_size, option.tick_size) == (65, Decimal("0.05"))

    def test_adds_its_number_to_what_another_master_listed(self) -> None:
        import_text(KITE)

        import_text(DHAN)

        share = Instrument.objects.get(key="NSE:RELIANCE")
        assert dict(share.broker_instruments.values_list("broker_type", "security_id")) == {
            "kite": "738561",
            "dhan": "2885",
        }

    def test_leaves_out_what_is_not_traded_here(self) -> None:
        currency = "NSE,C,1,FUTCUR,0,USDINR-Aug2026-FUT,1000,x,2026-08-25,,XX,25,M,F,,USDINR\r\n"

        run = import_text(DHAN + currency)

        assert "The segment 'C' of NSE is not traded here" in run.issues.get().reason

    def test_keeps_one_number_for_two_segments_apart(self) -> None:
        share = "NSE,E,13,EQUITY,0,ABB,1,ABB,,,,5,NA,ES,EQ,ABB INDIA\r\n"
        index = "NSE,I,13,INDEX,0,NIFTY,1,Nifty 50,0001-01-01,,XX,0.05,,INDEX,X,NIFTY\r\n"

        assert import_text(DHAN_HEADER + share + index).rows_written == 2


class TestAngelMaster:
    def test_broken_off_is_refused_and_leaves_nothing(self) -> None:
        run = import_text(ANGEL[: len(ANGEL) // 2], name="scrips.json")

        assert (run.status, Instrument.objects.count()) == ("FAILED", 0)
        assert "The file breaks off after" in run.error_message

    def test_with_other_things_in_the_array_is_refused(self) -> None:
        run = import_text("[1, 2]", kind=ImportKind.ANGEL_MASTER)

        assert run.error_message == ("Entry 1 is not an object with the instrument's fields")

    def test_nested_without_end_is_refused(self) -> None:
        run = import_text("[" * 100_000, kind=ImportKind.ANGEL_MASTER)

        assert run.error_message == "Entry 1 is not JSON"

    def test_reads_ticks_in_paise_and_strikes_in_hundredths(self) -> None:
        import_text(ANGEL, name="scrips.json")

        option = Instrument.objects.get(key="NFO:NIFTY25AUG2624350CE")
        assert (option.tick_size, option.strike) == (Decimal("0.05"), Decimal(24350))

    def test_drops_the_series_of_plain_shares(self) -> None:
        import_text(ANGEL, name="scrips.json")

        share = Instrument.objects.get(key="NSE:RELIANCE")
        token = share.broker_instruments.get(broker_type="angel")
        assert (share.tick_size, token.broker_symbol) == (Decimal("0.10"), "RELIANCE-EQ")

    def test_calls_an_index_by_its_own_name(self) -> None:
        import_text(ANGEL, name="scrips.json")

        assert Instrument.objects.filter(key="NSE:NIFTY 50", instrument_type="INDEX").exists()

    def test_is_read_in_pieces(self) -> None:
        entry = (
            '{"token":"%d","symbol":"S%d-EQ","name":"S","expiry":"","strike":"-1","lotsize":"1",'
            '"instrumenttype":"","exch_seg":"NSE","tick_size":"5.0"}'
        )
        many = "[" + ",\n".join(entry % (number, number) for number in range(2000)) + "]"

        assert import_text(many, name="scrips.json").rows_written == 2000
