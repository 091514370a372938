"""A damaged file: every row of it is read or refused by its line, and none is made up."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.importing.detecting import detect_kind
from market.importing.dhan import dhan_rows
from market.importing.kite import kite_rows
from market.importing.reading import open_source
from market.importing.rows import FileRefused, Listed, Skipped
from market.models import BrokerInstrument, Candle, ImportKind, Instrument
from tests.market.files import (
    ANGEL,
    DAILY,
    DHAN,
    INTRADAY,
    KITE,
    KITE_HEADER,
    KITE_SHARE,
    OHLCV,
    import_text,
)

DETAILED = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,\n"
    "NSE,E,2885,INE002A01018,EQUITY,,RELIANCE,RELIANCE INDUSTRIES LTD,Reliance,ES,EQ,1.0,,,,"
    "10.0000,NA,\n"
    "NSE,E,7,INE0,EQUITY,,SUNFARM,SUNFARM LIMITED,Sunfarm,ES,SM,1200.0,,,,5.0000,NA,\n"
    "NSE,I,13,NA,INDEX,13,NIFTY,NIFTY,Nifty 50,INDEX,X,1.0,0001-01-01,,XX,0.0500,N,\n"
    "NSE,D,35001,NA,OPTIDX,13,NIFTY,NIFTY-Aug2026-24350-CE,NIFTY 25 AUG 24350 CALL,OP,NA,65.0,"
    "2026-08-25,24350.00000,CE,5.0000,M,\n"
)
BSE_OPTION = (
    "BSE,D,869699,NA,OPTIDX,1,SENSEX,BSXOPT,SENSEX 17 SEP 74300 CALL,OPTIDX,NA,20.0,2026-09-17,"
    "74300.00000,CE,5.0000,W,\n"
)
NOISE = st.text(alphabet='",\r\n; 0.é\0-|', max_size=3)


def quoted(text: str) -> str:
    return "".join(
        ",".join(f'"{field}"' for field in line.split(",")) + "\n" for line in text.splitlines()
    )


def read_kite(text: str) -> dict[int, Listed | Skipped]:
    rows = kite_rows(open_source(BytesIO(text.encode()), name="kite.csv"))
    read = {}
    for row in rows:
        read[rows.line] = row
    return read


class TestADamagedFile:
    @settings(max_examples=300, deadline=None)
    @given(place=st.integers(0, len(KITE)), cut=st.integers(0, 40), noise=NOISE)
    def test_loses_and_invents_no_row(self, place: int, cut: int, noise: str) -> None:
        damaged = KITE[:place] + noise + KITE[place + cut :]
        try:
            read = read_kite(damaged)
        except FileRefused:
            return
        lines = damaged.split("\n")
        header, *rows = (number for number, line in enumerate(lines, 1) if line.strip("\r"))
        assert list(read) == rows
        whole = dict(zip(KITE.splitlines()[1:], read_kite(KITE).values(), strict=True))
        for number, row in read.items():
            if lines[header - 1] == KITE_HEADER.strip() and lines[number - 1] in whole:
                assert row == whole[lines[number - 1]]

    @settings(max_examples=100, deadline=None)
    @given(order=st.permutations(range(4)), twice=st.integers(0, 3))
    def test_reads_the_same_in_any_order(self, order: list[int], twice: int) -> None:
        rows = KITE.splitlines()[1:]
        text = "\n".join([KITE_HEADER.strip(), *(rows[number] for number in order), rows[twice]])
        assert len(read_kite(text)) == 5

    def test_with_an_open_quote_is_refused_by_the_line_that_opens_it(self) -> None:
        many = KITE.replace("RELIANCE INDUSTRIES", '"RELIANCE INDUSTRIES') + KITE_SHARE * 90
        with pytest.raises(FileRefused, match="Line 2 opens a quote that it does not close"):
            read_kite(many)

    def test_with_a_quote_closed_three_lines_later_is_refused_by_the_first(self) -> None:
        rows = KITE_SHARE * 3
        text = KITE_HEADER + rows.replace("RELIANCE,REL", 'RELIANCE,"REL', 1).replace(
            "ES,0.0,,0.0,0.1,1,EQ,NSE,NSE\n738561,2885,RELIANCE,RELIANCE INDUSTRIES,",
            'ES,0.0,,0.0,0.1,1,EQ,NSE,NSE\n738561,2885,RELIANCE,RELIANCE INDUSTRIES",',
            1,
        )
        with pytest.raises(FileRefused, match="Line 2 opens a quote that"):
            read_kite(text)

    def test_leaves_out_a_row_whose_number_has_a_thousands_comma(self) -> None:
        row = KITE_SHARE.replace("RELIANCE INDUSTRIES", "RELIANCE, INDUSTRIES")
        (skipped,) = read_kite(KITE_HEADER + row).values()
        assert isinstance(skipped, Skipped)
        assert skipped.reason == "The row has 13 fields and the file 12 columns"

    def test_with_a_column_twice_is_refused(self) -> None:
        with pytest.raises(FileRefused, match="The column lot_size comes 2 times"):
            read_kite(KITE.replace("name,last_price", "name,lot_size"))


class TestALineEnding:
    def test_of_old_macs_is_refused_in_words(self) -> None:
        with pytest.raises(FileRefused, match="carriage return alone"):
            detect_kind(KITE.replace("\n", "\r").encode())

    def test_inside_a_row_is_refused_by_its_line(self) -> None:
        with pytest.raises(FileRefused, match="Line 2 has a carriage return inside"):
            read_kite(KITE.replace("RELIANCE INDUSTRIES", "RELIANCE\rINDUSTRIES"))


@pytest.mark.django_db
class TestAFileWithoutRows:
    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (OHLCV, ImportKind.OHLCV),
            (KITE, ImportKind.KITE_MASTER),
            (DHAN, ImportKind.DHAN_MASTER),
        ],
    )
    def test_says_so(self, content: str, kind: ImportKind) -> None:
        run = import_text(content.partition("\n")[0] + "\n", kind=kind)
        assert run.error_message == "The file has no rows"


@pytest.mark.django_db
class TestAFullyQuotedFile:
    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (KITE, "kite_master"),
            (DHAN, "dhan_master"),
            (DETAILED, "dhan_master"),
            (OHLCV, "ohlcv"),
            (INTRADAY, "intraday_prices"),
        ],
    )
    def test_is_recognised_and_read(self, content: str, kind: str) -> None:
        run = import_text(quoted(content))
        plain = import_text(content)
        assert (run.status, run.kind, run.rows_skipped) == ("COMPLETED", kind, 0)
        assert plain.rows_unchanged == plain.rows_read == run.rows_written


@pytest.mark.django_db
class TestDhansDetailedList:
    def test_lists_what_the_compact_one_does(self) -> None:
        import_text(DHAN)
        run = import_text(DETAILED)
        assert (run.kind, run.rows_unchanged, run.rows_skipped) == ("dhan_master", 4, 0)

    def test_names_a_contract_by_its_terms(self) -> None:
        rows = dhan_rows(open_source(BytesIO((DETAILED + BSE_OPTION).encode()), name="d.csv"))
        last = list(rows)[-1]
        assert isinstance(last, Listed)
        assert (last.underlying, last.broker_symbol) == ("SENSEX", "SENSEX-Sep2026-74300-CE")


@pytest.mark.django_db
class TestNothing:
    @pytest.mark.parametrize("nothing", ["null", '"None"', '"nan"', '""'])
    def test_is_no_name(self, nothing: str) -> None:
        run = import_text(ANGEL.replace('"RELIANCE-EQ"', nothing), name="scrips.json")
        assert run.issues.get().reason.startswith("The symbol is missing")
        assert not Instrument.objects.filter(key__icontains="None").exists()

    @pytest.mark.parametrize("value", ["true", "[1]", '{"a": 1}'])
    def test_of_another_shape_is_refused(self, value: str) -> None:
        run = import_text(ANGEL.replace('"RELIANCE-EQ"', value), name="scrips.json")
        assert run.issues.get().reason == "The field symbol is neither a text nor a number"

    def test_is_no_number_of_an_instrument(self) -> None:
        run = import_text(ANGEL.replace('"token":"2885"', '"token":null'), name="scrips.json")
        assert run.issues.get().reason == "The token is missing"
        assert BrokerInstrument.objects.count() == 2


@pytest.mark.django_db
class TestARepeatedCandle:
    def test_with_other_values_is_taken_from_neither_line(self) -> None:
        run = import_text(OHLCV + "NIFTY,20260617,09:16,24105.50,24120.00,24100.35,24110.00\n")
        assert (run.rows_read, run.rows_written, run.rows_skipped) == (3, 1, 2)
        assert list(run.issues.order_by("line").values_list("line", "reason")) == [
            (3, "Line 4 has other values for the same candle: neither of the two is taken"),
            (4, "Line 3 has other values for the same candle: neither of the two is taken"),
        ]

    def test_with_the_same_values_counts_as_unchanged(self) -> None:
        run = import_text(OHLCV + OHLCV.splitlines()[2] + "\n")
        assert (run.rows_read, run.rows_written, run.rows_unchanged) == (3, 2, 1)

    @pytest.mark.parametrize("times", [1, 3])
    def test_is_counted_once_a_row(self, times: int) -> None:
        run = import_text(OHLCV + "NIFTY,20260617,09:16,1,1,1,1\n" * times)
        assert run.rows_read == run.rows_written + run.rows_unchanged + run.rows_skipped


@pytest.mark.django_db
class TestATimeThatCannotBe:
    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("20260617,09:16", "20260622,09:16", "22 Jun 2026 09:16 is in the future"),
            ("20260617,09:16", "20260614,09:16", "NSE was shut on 14 Jun 2026"),
            (",09:16", ",09:16:30", "09:16:30 is not where a candle of 1 minute begins"),
        ],
    )
    def test_is_refused_by_its_line(self, old: str, new: str, reason: str) -> None:
        run = import_text(OHLCV.replace(old, new), interval="1m")
        assert (run.rows_written, run.issues.get().line) == (1, 3)
        assert reason in run.issues.get().reason

    @pytest.mark.parametrize(
        ("day", "reason"),
        [("220626", "is in the future"), ("140626", "NSE was shut"), ("260126", "NSE was shut")],
    )
    def test_is_no_day_of_an_archive(self, day: str, reason: str) -> None:
        run = import_text(DAILY.replace("180626", day), name="INFY.csv")
        assert reason in run.issues.get().reason
        assert Candle.objects.count() == 1

    def test_off_the_grid_is_refused_by_its_line_where_the_interval_is_told_by_the_rows(
        self,
    ) -> None:
        clocks = ("09:15", "09:17:30", "09:20", "09:25", "09:30")
        rows = "".join(f"INFY,20260617,{clock},10,12,9,11\n" for clock in clocks)
        run = import_text(OHLCV.partition("\n")[0] + "\n" + rows)
        assert set(Candle.objects.values_list("interval", flat=True)) == {"5m"}
        assert (run.rows_written, run.issues.get().line) == (4, 3)

    def test_off_the_grid_is_refused_in_five_minutes(self) -> None:
        run = import_text(INTRADAY.replace("03:50:00", "03:52:30"))
        assert run.issues.get().reason == "09:22:30 is not where a candle of 5 minutes begins"


@pytest.mark.django_db
class TestAnIndexCandle:
    def test_that_opens_a_tick_outside_its_range_is_kept_and_counted(self) -> None:
        run = import_text(OHLCV.replace("24100.75", "24110.40"))
        assert (run.rows_written, run.rows_skipped) == (2, 0)
        assert run.notes[0].startswith("1 index candles opened or closed just outside")
        candle = Candle.objects.earliest("timestamp")
        assert candle.high == candle.open

    def test_that_opens_far_outside_is_refused(self) -> None:
        assert import_text(OHLCV.replace("24100.75", "24150.00")).rows_skipped == 1

    def test_of_a_share_is_refused(self) -> None:
        shares = OHLCV.replace("NIFTY", "INFY").replace("24100.75", "24110.40")
        assert import_text(shares).rows_skipped == 1
