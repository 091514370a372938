"""Last prices: what a batch of ticks makes of a quote, in the table and in Redis alike."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from brokers.gateway import QuoteTick
from market.quote_terms import QuoteView, moved, movements
from market.quotes import forget_quotes, put_quotes, quote_of, quotes_of, write_quotes
from tests.builders import NOW

SHARE = "NSE:RELIANCE"


def tick(price: str, *, key: str = SHARE, seconds: float = 0, volume: int = 10) -> QuoteTick:
    ltp = Decimal(price)
    at = NOW + timedelta(seconds=seconds)
    return QuoteTick(key, ltp, at, volume, ltp - Decimal("0.05"), ltp + Decimal("0.05"), 7, 8)


def decimals(*numbers: int) -> list[Decimal]:
    return [Decimal(number) for number in numbers]


@pytest.fixture(scope="module")
def redis_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not on the PATH: run `make test`, which finds or installs it")
    socket = Path(tmp_path_factory.mktemp("redis")) / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(socket), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    while not socket.exists():
        time.sleep(0.02)
    yield f"unix://{socket}"
    server.terminate()
    server.wait()


@pytest.fixture(params=["table", pytest.param("redis", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest, settings: Settings, db: None) -> None:
    settings.REDIS_URL = ""
    if request.param == "redis":
        settings.REDIS_URL = request.getfixturevalue("redis_address")
        forget_quotes([SHARE, "NSE:TCS"])


@pytest.mark.usefixtures("store")
class TestWriteQuotes:
    def test_keeps_nothing_of_an_empty_batch(self) -> None:
        write_quotes([])
        assert quote_of(SHARE) is None

    def test_ignores_ticks_older_than_the_quote(self) -> None:
        write_quotes([tick("100", seconds=5)])
        write_quotes([tick("90", seconds=4)])
        assert quote_of(SHARE) == moved(None, movements([tick("100", seconds=5)])[0])

    def test_opens_a_day_with_the_first_price(self) -> None:
        write_quotes([tick("100.05")])
        quote = quote_of(SHARE)
        assert quote == QuoteView(
            key=SHARE,
            ltp=Decimal("100.05"),
            bid=Decimal("100.00"),
            ask=Decimal("100.10"),
            open=Decimal("100.05"),
            high=Decimal("100.05"),
            low=Decimal("100.05"),
            previous_close=None,
            volume=10,
            as_of=NOW,
            session_date=NOW.date(),
            bid_quantity=7,
            ask_quantity=8,
        )

    def test_carries_the_day_along(self) -> None:
        for seconds, price in enumerate(("100", "104", "97", "101")):
            write_quotes([tick(price, seconds=seconds)])
        quote = quote_of(SHARE)
        assert quote is not None
        assert [quote.open, quote.high, quote.low] == decimals(100, 104, 97)
        assert [quote.ltp, quote.volume] == decimals(101, 40)

    def test_folds_several_ticks_of_one_instrument(self) -> None:
        write_quotes([tick("100"), tick("105", seconds=1), tick("99", seconds=2)])
        quote = quote_of(SHARE)
        assert quote is not None
        assert [quote.open, quote.high, quote.low, quote.volume] == decimals(100, 105, 99, 30)

    def test_rolls_the_session_at_the_exchanges_midnight(self) -> None:
        write_quotes([tick("100"), tick("110", seconds=1)])
        write_quotes([tick("112", seconds=86_400)])
        quote = quote_of(SHARE)
        assert quote is not None
        assert [quote.open, quote.high, quote.low, quote.volume] == decimals(112, 112, 112, 10)
        assert [quote.previous_close, quote.change] == decimals(110, 2)

    def test_reads_many_at_once(self) -> None:
        write_quotes([tick("100"), tick("50", key="NSE:TCS")])
        assert set(quotes_of([SHARE, "NSE:TCS", "NSE:INFY"])) == {SHARE, "NSE:TCS"}

    def test_replaces_a_whole_quote(self) -> None:
        write_quotes([tick("100", seconds=60)])
        put_quotes([moved(None, movements([tick("70")])[0])])
        quote = quote_of(SHARE)
        assert quote is not None
        assert quote.ltp == 70

    def test_forgets(self) -> None:
        write_quotes([tick("100")])
        forget_quotes([SHARE])
        assert quotes_of([SHARE]) == {}


@pytest.mark.django_db
class TestQuoteTable:
    def test_costs_one_statement_a_batch(self, settings: Settings) -> None:
        settings.REDIS_URL = ""
        ticks = [tick("100", key=f"NSE:SHARE{number}") for number in range(200)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            write_quotes(ticks)
        assert len(queries) == 1


@pytest.mark.django_db
@given(
    prices=st.lists(
        st.tuples(st.integers(1, 10_000), st.integers(0, 4 * 86_400)), min_size=1, max_size=12
    )
)
def test_the_database_and_the_fold_agree(prices: list[tuple[int, int]]) -> None:
    forget_quotes([SHARE])
    expected = None
    for paise, seconds in prices:
        step = tick(str(Decimal(paise) / 20), seconds=seconds)
        write_quotes([step])
        expected = moved(expected, movements([step])[0])
    assert quote_of(SHARE) == expected


class TestQuoteView:
    def test_has_no_change_without_a_previous_close(self) -> None:
        quote = moved(None, movements([tick("100")])[0])
        assert (quote.change, quote.change_percent) == (None, None)

    def test_measures_change_from_the_previous_close(self) -> None:
        opened = moved(None, movements([tick("200")])[0])
        quote = moved(opened, movements([tick("205", seconds=86_400)])[0])
        assert [quote.change, quote.change_percent] == [Decimal(5), Decimal("2.5")]

    @pytest.mark.parametrize(("age", "stale"), [(0, False), (60, False), (61, True)])
    def test_is_stale_after_a_minute(self, age: int, stale: bool) -> None:
        quote = moved(None, movements([tick("100")])[0])
        assert quote.is_stale(NOW + timedelta(seconds=age)) is stale

    def test_counts_an_american_evening_as_one_session(self) -> None:
        evening = datetime(2026, 6, 17, 17, 0, tzinfo=UTC)
        past_midnight = evening + timedelta(hours=2)
        ticks = [QuoteTick("NASDAQ:AAPL", Decimal(1), at) for at in (evening, past_midnight)]
        first, second = (movements([step])[0].session_date for step in ticks)
        assert first == second
