"""A replay plays real prices through the whole house, and twice the same."""

from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from django.core.management import CommandError, call_command
from django.test import Client, TestCase, override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import User
from brokers.gateway import QuoteTick
from market.auction import forget_auction_shares
from market.calendar import forget_overrides
from market.models import Instrument, Interval
from market.quotes import quote_of, write_quotes
from notifications.models import Notification
from orders.models import Order, Trade
from orders.states import FINAL
from portfolio.models import ChargeRate, Position, SessionStatus, TradingSession
from portfolio.rates import forget_rates
from portfolio.square_off import forget_times
from strategies.models import Signal, SignalStatus, UserStrategy
from tests.builders import make_user
from tests.trading_site.price_files import THURSDAY, WEDNESDAY, write_prices
from trading_site.replay_report import Charges, DayReport, add_up
from trading_site.replaying import Replay, ReplayRefused, ReplayRequest, prepare_replay

pytestmark = pytest.mark.django_db
SHARED = project_settings.BASE_DIR.parent / "shared" / "data" / "prices_5min"


@pytest.fixture(autouse=True)
def files_elsewhere(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def request_(tmp_path: Path) -> ReplayRequest:
    return two_shares(tmp_path)


def two_shares(folder: Path) -> ReplayRequest:
    """Two shares over two days."""
    prices = folder / "prices"
    prices.mkdir()
    return ReplayRequest(write_prices(prices, "INFY", "TCS"), ("price_breakout",))


def prepare(request: ReplayRequest, user: User) -> Replay:
    return prepare_replay(request, user=user, now=timezone.now())


class TestPrepareReplay:
    def test_refuses_a_folder_without_prices(self, request_, user, tmp_path) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        with pytest.raises(ReplayRefused, match=r"no \.csv file"):
            prepare(replace(request_, folder=empty), user)

    def test_refuses_a_file_that_holds_no_prices(self, request_, user) -> None:
        (request_.folder / "notes.csv").write_text("to do,done\nbuy milk,yes\n")
        with pytest.raises(ReplayRefused, match=r"notes\.csv"):
            prepare(request_, user)

    @pytest.mark.parametrize("slugs", [(), ("astrology",)])
    def test_refuses_strategies_that_are_not_there(self, request_, user, slugs) -> None:
        with pytest.raises(ReplayRefused, match="Known are: price_breakout"):
            prepare(replace(request_, strategies=slugs), user)

    def test_refuses_too_little_capital_for_the_strategies(self, request_, user) -> None:
        with pytest.raises(ReplayRefused, match="needs at least"):
            prepare(replace(request_, capital=Decimal(1000)), user)

    def test_refuses_candles_shorter_than_the_files_hold(self, request_, user) -> None:
        with pytest.raises(ReplayRefused, match="shorter than"):
            prepare(replace(request_, interval=Interval.M1), user)

    def test_leaves_nothing_switched_on_when_it_refuses(self, request_, user) -> None:
        with pytest.raises(ReplayRefused):
            prepare(replace(request_, strategies=("price_breakout", "astrology")), user)
        assert not UserStrategy.objects.exists()

    def test_opens_an_account_of_its_own_for_each_run(self, request_, user) -> None:
        names = [prepare(request_, user).account.name for _ in range(2)]
        assert names == ["Replay 1", "Replay 2"]

    def test_can_be_of_the_last_days_only(self, request_, user) -> None:
        assert prepare(replace(request_, days=1), user).days == (THURSDAY,)


class TestReplay:
    @pytest.fixture(scope="class")
    @classmethod
    def days(
        cls,
        tmp_path_factory: pytest.TempPathFactory,
        django_db_setup: None,
        django_db_blocker: DjangoDbBlocker,
    ) -> Iterator[list[DayReport]]:
        """Two days, played once for all that is said of them."""
        folder = tmp_path_factory.mktemp("replay")
        with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder / "files"):
            # Django's own way to keep rows for the tests of a class, and to take them back.
            TestCase.setUpClass()
            yield list(prepare(two_shares(folder), make_user()).play())
            TestCase.tearDownClass()

    def test_reports_each_day(self, days) -> None:
        assert [each.day for each in days] == [WEDNESDAY, THURSDAY]

    def test_trades(self, days) -> None:
        assert all(each.fills > 0 for each in days)
        assert Order.objects.exclude(status__in=FINAL).count() == 0

    def test_judges_every_candle_once(self, days) -> None:
        assert [each.candles for each in days] == [150, 150]  # 75 candles of two shares

    def test_settles_every_signal(self, days) -> None:
        assert Signal.objects.exists()
        assert not Signal.objects.filter(status=SignalStatus.RECORDED).exists()

    def test_holds_nothing_over_night(self, days) -> None:
        assert not Position.objects.open().exists()

    def test_closes_its_sessions(self, days) -> None:
        assert {each.status for each in TradingSession.objects.all()} == {SessionStatus.COMPLETED}

    def test_tells_the_profit_of_its_sessions(self, days) -> None:
        nets = TradingSession.objects.order_by("session_date").values_list("total_pnl", flat=True)
        assert [each.net for each in days] == list(nets)

    def test_fills_no_order_at_a_price_from_before_it(self, days) -> None:
        early = [trade for trade in Trade.objects.all() if trade.traded_at < trade.order.created_at]
        assert early == []

    def test_counts_what_its_strategies_did(self, days) -> None:
        activation = UserStrategy.objects.get()
        total = add_up(days)
        assert activation.total_orders == total.orders
        assert activation.successful_orders == total.filled_orders
        assert activation.total_pnl == total.net

    def test_tells_nobody_of_its_signals(self, days) -> None:
        assert not Notification.objects.exists()

    def test_leaves_no_quote_behind(self, days) -> None:
        assert quote_of("NSE:INFY") is None


class TestReplayBesideAMarket:
    def test_leaves_prices_that_are_being_told_now_alone(self, request_, user) -> None:
        write_quotes([QuoteTick("NSE:INFY", Decimal(1500), timezone.now())])
        before = quote_of("NSE:INFY")
        assert sum(day.fills for day in prepare(request_, user).play()) > 0
        assert quote_of("NSE:INFY") == before


class TestTwoReplays:
    def test_give_the_same_figures(self, request_, user) -> None:
        first, second = (list(prepare(request_, user).play()) for _ in range(2))
        assert first == second

    def test_print_the_same_byte_for_byte(self, request_, user) -> None:
        texts = []
        for _ in range(2):
            for forget in (forget_rates, forget_times, forget_overrides, forget_auction_shares):
                forget()
            output = StringIO()
            strategies = ("--strategies", "rsi_dmi,price_breakout")
            call_command("replay", request_.folder, *strategies, stdout=output)
            texts.append(output.getvalue())
        # The account's number is all that differs.
        assert texts[0].replace("Replay 1", "Replay 2") == texts[1]

    def test_count_nothing_that_was_read_before_it_changed(self, request_, user) -> None:
        first = list(prepare(request_, user).play())  # and so the rates are remembered
        ChargeRate.objects.filter(component="STT").update(rate=0)
        second = list(prepare(request_, user).play())
        assert all(day.charges.stt > 0 for day in first)
        assert all(day.charges.stt == 0 for day in second)

    def test_share_one_import(self, request_, user) -> None:
        prepare(request_, user)
        again = prepare(request_, user)
        assert {run.rows_written for run in again.prices.runs} == {0}


class TestBooks:
    def test_are_what_the_trades_make_them(self, request_, user) -> None:
        replay = prepare(request_, user)
        list(replay.play())
        assert replay.faults() == []

    def test_that_were_tampered_with_are_named(self, request_, user) -> None:
        replay = prepare(request_, user)
        list(replay.play())
        Position.objects.filter(position_type="NET").update(realized_pnl=Decimal("0.01"))
        assert replay.faults() != []


class TestLongerCandles:
    def test_are_judged_when_their_last_part_closes(self, request_, user) -> None:
        days = list(prepare(replace(request_, interval=Interval.M15), user).play())
        assert [each.candles for each in days] == [50, 50]  # 25 candles of two shares


class TestAddUp:
    def test_adds_every_figure(self) -> None:
        charges = Charges(**{item.name: Decimal("0.01") for item in fields(Charges)})
        day = DayReport(WEDNESDAY, 1, 2, 3, 4, 5, (("Why", 6),), Decimal("0.10"), charges)
        total = add_up([day, replace(day, day=THURSDAY)])
        assert (total.day, total.candles, total.fills) == (THURSDAY, 2, 10)
        assert total.refusals == (("Why", 12),)
        assert total.charges.total == 2 * charges.total == Decimal("0.14")
        assert total.net == Decimal("0.06")


class TestCommand:
    def test_needs_somebody_who_can_look_at_it(self, request_) -> None:
        with pytest.raises(CommandError, match="make a user first"):
            call_command("replay", request_.folder)

    def test_prints_days_total_charges_and_the_proof(self, request_, user) -> None:
        out = StringIO()
        call_command("replay", request_.folder, "--strategies", "price_breakout", stdout=out)
        text = out.getvalue()
        for words in ("Wed 17 Jun 26", "Total", "stamp duty", "to the paisa", "Replay 1"):
            assert words in text

    def test_says_why_it_refuses(self, request_, user) -> None:
        with pytest.raises(CommandError, match="astrology"):
            call_command("replay", request_.folder, "--strategies", "astrology")


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the recorded five-minute prices are not here")
class TestRecordedPrices:
    def test_play_twice_the_same_with_books_that_agree(self, user) -> None:
        request = ReplayRequest(SHARED, ("rsi_dmi", "price_breakout"), days=1)
        first, second = prepare(request, user), prepare(request, user)
        assert list(first.play()) == list(second.play())
        assert first.faults() == second.faults() == []
        assert Instrument.objects.filter(exchange="NSE").count() == 10


class TestPagesOfAReplay:
    """In the desk of replays every page speaks of the days that were played."""

    @pytest.fixture
    def client(self, request_, user) -> Client:
        replay = prepare(request_, user)
        list(replay.play())
        client = Client()
        client.force_login(user)
        workspace = {"workspace": str(replay.account.workspace_id)}
        client.post("/accounts/desk/", workspace)
        return client

    def test_has_the_last_day_played_at_the_head_of_home(self, client: Client) -> None:
        page = client.get("/").content.decode()
        assert "<h1>Thursday, 18 June 2026</h1>" in page
        assert "Strategies that were played" in page and "Price breakout" in page

    @pytest.mark.parametrize("address", ["/", "/orders/", "/positions/", "/strategies/", "/risk/"])
    def test_names_the_days_at_the_top(self, client: Client, address: str) -> None:
        assert "17 Jun 2026 to 18 Jun 2026" in client.get(address).content.decode()

    def test_shows_what_the_last_day_closed_and_traded(self, client: Client) -> None:
        context = client.get("/positions/").context
        assert context["closed"] and context["traded"]
        booked = sum(each.booked_pnl for each in context["traded"])
        assert booked == context["summary"].realized

    def test_lists_the_strategies_that_were_played(self, client: Client) -> None:
        (row,) = client.get("/strategies/").context["rows"]
        assert row.of_day and row.signals

    def test_knows_what_the_day_came_to_on_the_risk_page(self, client: Client) -> None:
        (state,) = client.get("/risk/").context["states"]
        assert state.day_pnl and state.past_day == THURSDAY
