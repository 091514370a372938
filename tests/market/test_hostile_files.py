import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile

from market.models import Candle, ImportKind, ImportRun, Instrument
from market.services import FileRefused, Starter, start_import
from tests.builders import NOW
from tests.market.files import ANGEL, DAILY, KITE, OHLCV, import_text

pytestmark = pytest.mark.django_db


class TestStartImport:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "The file is empty"),
            (b" \n\n", "The file is empty"),
            (b"PK\x03\x04rest of a zip", "a zip archive or an Excel workbook"),
            (b"\x1f\x8b\x08rest", "compressed with gzip"),
            (b"%PDF-1.7", "The file is a PDF"),
            ("a,b\n".encode("utf-16"), "in UTF-16: save it as UTF-8"),
            (b"symbol,open\0,high\n", "NUL bytes"),
            (b"<!DOCTYPE html><p>Please sign in", "a web page"),
            (b'{"status": "error"}', "No file that is known here begins with"),
            (b'[{"name": "x"}]', "not Angel One's scrip master"),
            (b"just some words\n", "No file that is known here begins with: just some words"),
        ],
    )
    def test_refuses_what_is_no_table(self, content: bytes, words: str) -> None:
        with pytest.raises(FileRefused) as refusal:
            start_import(ContentFile(content, name="x"), kind=None, by=Starter(), now=NOW)

        assert words in str(refusal.value)
        assert not ImportRun.objects.exists()

    def test_keeps_no_file_that_it_refused(self, settings: LazySettings) -> None:
        with pytest.raises(FileRefused):
            start_import(ContentFile(b"words\n", name="x"), kind=None, by=Starter(), now=NOW)

        assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\prices.php.csv", "prices.php.csv"),
            ("a\u202eb\n.csv", "ab.csv"),
            ("..", ".."),
        ],
    )
    def test_keeps_the_name_as_a_label_only(
        self, name: str, shown: str, settings: LazySettings
    ) -> None:
        file = ContentFile(OHLCV.encode())
        file.name = name

        run = start_import(file, kind=None, by=Starter(), now=NOW)

        assert run.file_name == shown
        kept = [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
        assert [path.name for path in kept] == [run.pk.hex]


class TestImport:
    def test_refuses_a_line_without_end(self) -> None:
        run = import_text("x" * 200_000, kind=ImportKind.DAILY_PRICES, name="A.csv")

        assert run.error_message == "Line 1 is too long for a table"

    def test_refuses_a_huge_field(self) -> None:
        run = import_text(DAILY + "1," + "9" * 20_000 + "\n", name="A.csv")

        assert "Line 3 is not a row of a table: field larger than" in run.error_message

    def test_refuses_a_quote_that_swallows_the_file(self) -> None:
        run = import_text(DAILY + '"' + "190626,1\n" * 5_000, name="A.csv")

        assert (run.status, Candle.objects.count()) == ("FAILED", 0)

    def test_refuses_a_file_of_another_kind(self) -> None:
        run = import_text(DAILY, kind=ImportKind.KITE_MASTER)

        assert "The column instrument_token is missing" in run.error_message

    def test_refuses_a_file_with_no_good_row_and_says_the_first_reason(self) -> None:
        run = import_text("020117,a,b,c,d,1,1,1\n", kind=ImportKind.DAILY_PRICES, name="A.csv")

        assert run.error_message == ("No row could be read; line 1: The open 'a' is not a number")

    def test_refuses_a_file_with_only_a_header(self) -> None:
        run = import_text(KITE.partition("\n")[0], kind=ImportKind.KITE_MASTER)

        assert run.error_message == "The file has no rows"

    def test_leaves_a_row_with_a_nul_out(self) -> None:
        long = OHLCV + "NIFTY,20260617,09:17,24118.0,24120.0,24117.0,24119.0\n" * 2_000

        run = import_text(long + "NIFTY,20260617,09:18,1\0,2,1,2\n")

        issue = run.issues.get()
        assert issue.raw == "NIFTY,20260617,09:18,1␀,2,1,2"
        assert issue.reason == "The open '1␀' is not a number"

    def test_leaves_an_entry_with_half_a_character_out(self) -> None:
        run = import_text(ANGEL.replace("RELIANCE-EQ", "REL\\ud800"), name="scrips.json")

        assert run.issues.get().reason == "The symbol has characters that cannot be printed"

    def test_reads_past_a_byte_order_mark(self) -> None:
        assert import_text(b"\xef\xbb\xbf" + KITE.encode()).rows_written == 4

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_reads_another_delimiter(self, delimiter: str) -> None:
        assert import_text(OHLCV.replace(",", delimiter)).rows_written == 2

    def test_reads_lines_that_end_as_on_windows(self) -> None:
        assert import_text(KITE.replace("\n", "\r\n")).rows_written == 4

    def test_reads_names_that_are_not_utf8(self) -> None:
        run = import_text(KITE.replace("RELIANCE INDUSTRIES", "SOCI\xc9T\xc9").encode("latin-1"))

        assert run.rows_written == 4
        assert "SOCI" in Instrument.objects.get(key="NSE:RELIANCE").name

    def test_keeps_at_most_a_thousand_issues_and_counts_all(self) -> None:
        bad = "NIFTY,20260617,09:17,x,2,1,2\n" * 1_200

        run = import_text(OHLCV + bad)

        assert (run.rows_skipped, run.issues.count()) == (1_200, 1_000)
