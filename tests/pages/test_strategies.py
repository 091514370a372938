from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Role
from brokers.registry import gateway_for
from market.models import Instrument, Watchlist, WatchlistItem
from portfolio.models import Position
from portfolio.services import refresh_funds
from strategies.models import ActivationStatus, Signal, Strategy, UserStrategy
from strategies.services import ActivationRequest, activate_strategy
from tests.builders import make_account
from tests.orders.desk import Desk
from tests.pages.desks import (
    client_of,
    client_of_stranger,
    client_with_role,
    csv_rows,
    queries_of,
)
from tests.pages.test_home import make_position

URL = "/strategies/"


@pytest.fixture
def funded(desk: Desk) -> Desk:
    """The desk with its money known, and its share on a watchlist."""
    funds = gateway_for(desk.account, clock=desk.clock).funds()
    refresh_funds(desk.account, funds, now=desk.now)
    watchlist = Watchlist.objects.create(
        workspace=desk.account.workspace, user=desk.user, name="Mine"
    )
    WatchlistItem.objects.create(watchlist=watchlist, instrument=desk.instrument)
    return desk


def activate(desk: Desk, slug: str = "price_breakout") -> UserStrategy:
    request = ActivationRequest(
        strategy=Strategy.objects.get(slug=slug),
        account=desk.account,
        allocation=Decimal(50000),
        instruments=(desk.instrument,),
    )
    return activate_strategy(request, user=desk.user, now=desk.now)


def typed(desk: Desk, **changes: str) -> dict[str, str]:
    """The form as a browser sends it; empty leaves a field out."""
    fields = {
        "account": str(desk.account.pk),
        "allocation": "50,000",
        "interval": "5m",
        "product": "MIS",
        "instruments": desk.instrument.key,
        "parameter_entry_bars": "20",
        "parameter_exit_bars": "10",
        "parameter_buffer_percent": "0",
        "understood": "on",
        **changes,
    }
    return {name: value for name, value in fields.items() if value}


def make_signal(activation: UserStrategy, share: Instrument, desk: Desk) -> Signal:
    return Signal.objects.create(
        user_strategy=activation,
        instrument=share,
        signal_type="BUY",
        price=Decimal(100),
        quantity=5,
        candle_at=desk.now,
        reason="Closed above the range",
        expires_at=desk.now,
        created_at=desk.now,
    )


class TestStrategyList:
    def test_shows_the_catalogue(self, desk: Desk) -> None:
        page = client_of(desk).get(URL).content.decode()
        assert "Price breakout" in page
        assert "None of yours runs" in page

    def test_shows_what_runs_here_and_nothing_of_another_desk(self, funded: Desk) -> None:
        running = activate(funded)
        assert f"/running/{running.pk}/" in client_of(funded).get(URL).content.decode()
        assert f"/running/{running.pk}/" not in client_of_stranger().get(URL).content.decode()

    def test_counts_running_ones_of_this_desk_alone(self, funded: Desk) -> None:
        activate(funded)
        catalogue = client_of_stranger().get(URL).context["catalogue"]
        assert {strategy.running for strategy in catalogue} == {0}

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("catalogue-risk=High", 1),
            ("catalogue-category=Momentum", 1),
            ("catalogue-risk=None", 3),
        ],
    )
    def test_narrows_the_catalogue(self, desk: Desk, query: str, count: int) -> None:
        assert len(client_of(desk).get(f"{URL}?{query}").context["catalogue"]) == count

    def test_costs_few_queries(self, funded: Desk) -> None:
        activate(funded)
        assert queries_of(client_of(funded), f"{URL}part/") <= 11

    def test_exports_activations(self, funded: Desk) -> None:
        activate(funded)
        header, row = csv_rows(client_of(funded).get(f"{URL}export/"))
        assert dict(zip(header, row, strict=True))["Allocation"] == "50000.0000"


class TestActivate:
    def test_is_refused_to_a_viewer(self, funded: Desk) -> None:
        viewer = client_with_role(funded.account.workspace, Role.VIEWER)
        answer = viewer.post(f"{URL}price_breakout/activate/", typed(funded))
        assert answer.status_code == 403

    def test_does_not_know_a_strategy_that_is_none(self, desk: Desk) -> None:
        assert client_of(desk).get(f"{URL}nothing/").status_code == 404

    def test_starts_the_strategy(self, funded: Desk) -> None:
        client_of(funded).post(f"{URL}price_breakout/activate/", typed(funded))
        running = UserStrategy.objects.get()
        assert list(running.instruments.all()) == [funded.instrument]
        assert running.custom_parameters == {}

    def test_keeps_the_settings_that_are_ones_own(self, funded: Desk) -> None:
        own = typed(funded, parameter_entry_bars="30", parameter_allow_short="on")
        client_of(funded).post(f"{URL}price_breakout/activate/", own)
        assert UserStrategy.objects.get().custom_parameters == {
            "entry_bars": 30,
            "allow_short": True,
        }

    def test_takes_instruments_by_their_keys(self, funded: Desk) -> None:
        named = typed(funded, instruments="", others="nse:reliance")
        client_of(funded).post(f"{URL}price_breakout/activate/", named)
        assert UserStrategy.objects.get().instruments.get() == funded.instrument

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("allocation", "100"),
            ("allocation", "x"),
            ("allocation", "99,99,99,999"),
            ("instruments", ""),
            ("others", "NSE:NOTHING"),
            ("understood", ""),
            ("account", ""),
            ("parameter_entry_bars", "1"),
            ("parameter_entry_bars", "many"),
            ("parameter_exit_bars", "400"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, funded: Desk, field: str, value: str
    ) -> None:
        answer = client_of(funded).post(
            f"{URL}price_breakout/activate/", typed(funded, **{field: value})
        )
        assert field in answer.context["form"].errors
        assert not UserStrategy.objects.exists()

    def test_names_all_that_an_empty_form_lacks(self, funded: Desk) -> None:
        answer = client_of(funded).post(f"{URL}price_breakout/activate/", {})
        assert answer.context["form"].errors["instruments"] == ["Choose at least one instrument."]
        assert "Check Account, Allocation, ₹, Candles, Product, Instruments" in (
            answer.content.decode()
        )

    def test_says_on_entry_that_it_runs_already(self, funded: Desk) -> None:
        running = activate(funded)
        page = client_of(funded).get(f"{URL}{running.strategy.slug}/").content.decode()
        assert "You run it already on" in page and "stop that one first" in page
        assert 'name="allocation"' not in page

    def test_offers_the_accounts_where_it_does_not_run(self, funded: Desk) -> None:
        running = activate(funded)
        other = make_account(funded.account.workspace, "Second")
        page = client_of(funded).get(f"{URL}{running.strategy.slug}/").content.decode()
        assert "choose another one here" in page
        assert f'<option value="{other.pk}"' in page
        assert f'<option value="{funded.account.pk}"' not in page

    def test_takes_no_account_of_another_desk(self, funded: Desk) -> None:
        answer = client_of_stranger().post(f"{URL}price_breakout/activate/", typed(funded))
        assert "account" in answer.context["form"].errors


class TestActivationPage:
    def test_is_not_there_for_a_stranger(self, funded: Desk) -> None:
        running = activate(funded)
        assert client_of_stranger().get(f"{URL}running/{running.pk}/").status_code == 404

    def test_shows_each_signal_with_its_reason(self, funded: Desk) -> None:
        running = activate(funded)
        make_signal(running, funded.instrument, funded)
        page = client_of(funded).get(f"{URL}running/{running.pk}/").content.decode()
        assert "Closed above the range" in page

    def test_tells_what_it_wanted_and_could_not(self, funded: Desk) -> None:
        running = activate(funded)
        notes = ("BUY not taken: too near the intraday square-off", "An earlier order was not done")
        for minute, note in enumerate(notes):
            running.evaluations.create(
                instrument=funded.instrument,
                candle_at=funded.now + timedelta(minutes=minute),
                evaluated_at=funded.now,
                note=note,
            )
        page = client_of(funded).get(f"/strategies/running/{running.pk}/").content.decode()
        assert "1 more not taken" in page and "It wanted to trade 1 time, and no signal" in page

    def test_renders_its_part_alone(self, funded: Desk) -> None:
        running = activate(funded)
        part = client_of(funded).get(f"{URL}running/{running.pk}/part/").content
        assert part.startswith(b"<div")

    def test_costs_few_queries(self, funded: Desk) -> None:
        running = activate(funded)
        make_signal(running, funded.instrument, funded)
        assert queries_of(client_of(funded), f"{URL}running/{running.pk}/part/") <= 16


class TestPauseResumeStop:
    @pytest.mark.parametrize("what", ["pause", "resume", "stop"])
    def test_is_not_there_for_a_stranger(self, funded: Desk, what: str) -> None:
        running = activate(funded)
        answer = client_of_stranger().post(f"{URL}running/{running.pk}/{what}/")
        assert answer.status_code == 404
        assert self.state(running) == ActivationStatus.ACTIVE

    def test_pauses_and_resumes(self, funded: Desk) -> None:
        running, client = activate(funded), client_of(funded)
        client.post(f"{URL}running/{running.pk}/pause/")
        assert self.state(running) == ActivationStatus.PAUSED
        client.post(f"{URL}running/{running.pk}/resume/")
        assert self.state(running) == ActivationStatus.ACTIVE

    def test_says_so_when_it_is_not_paused(self, funded: Desk) -> None:
        running = activate(funded)
        answer = client_of(funded).post(f"{URL}running/{running.pk}/resume/", follow=True)
        assert [message.level_tag for message in answer.context["messages"]] == ["error"]

    def test_says_what_a_pause_leaves_unwatched_and_pauses_nothing(self, funded: Desk) -> None:
        running = activate(funded)
        held = make_position(funded.account, funded.instrument)
        Position.objects.filter(pk=held.pk).update(user_strategy=running)
        page = client_of(funded).get(f"{URL}running/{running.pk}/pause/").content.decode()
        assert "position stays open, unwatched by it" in page
        assert "+10 RELIANCE" in page
        assert self.state(running) == ActivationStatus.ACTIVE

    def test_asks_before_it_stops(self, funded: Desk) -> None:
        running = activate(funded)
        client_of(funded).get(f"{URL}running/{running.pk}/stop/")
        assert self.state(running) == ActivationStatus.ACTIVE

    def test_stops_for_good(self, funded: Desk) -> None:
        running = activate(funded)
        client_of(funded).post(f"{URL}running/{running.pk}/stop/")
        assert self.state(running) == ActivationStatus.STOPPED

    def state(self, running: UserStrategy) -> str:
        running.refresh_from_db()
        return running.status
