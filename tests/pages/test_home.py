from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from market.models import Instrument
from notifications.models import Notification
from operations.ids import new_id, new_order_tag
from orders.models import Order
from portfolio.models import EquityPoint, Funds, Position, TradingSession
from risk.models import RiskRule, RuleType, Trading, TradingState
from tests.builders import NOW, make_user, make_workspace

PARTS = ("hero", "positions", "orders", "strategies", "alerts", "brokers")


def make_position(account: TradingAccount, share: Instrument, quantity: int = 10) -> Position:
    """Bought at 1,390.00, ten rupees below the fixture's quote."""
    return Position.objects.create(
        workspace=account.workspace,
        user=account.workspace.owner,
        account=account,
        instrument=share,
        product="MIS",
        session_date=NOW.date(),
        side="LONG",
        quantity=quantity,
        open_cost=Decimal(1390) * quantity,
        buy_quantity=quantity,
        opened_at=NOW,
    )


def make_order(account: TradingAccount, share: Instrument, **fields: object) -> Order:
    return Order.objects.create(
        **{
            "workspace": account.workspace,
            "user": account.workspace.owner,
            "account": account,
            "instrument": share,
            "tag": new_order_tag(NOW),
            "idempotency_key": str(new_id()),
            "request_hash": "",
            "side": "BUY",
            "order_type": "LIMIT",
            "quantity": 160,
            "price": Decimal("1400.00"),
            "expires_at": NOW,
            "created_at": NOW,
            **fields,
        }
    )


class TestHomeIsRefused:
    def test_to_strangers(self, client: Client, db: None) -> None:
        assert client.get("/")["Location"].startswith("/accounts/login/")

    def test_a_part_that_does_not_exist(self, browser: Client) -> None:
        assert browser.get("/home/parts/everything/").status_code == 404


class TestHome:
    def test_of_a_new_desk_says_what_to_do_first(self, browser: Client) -> None:
        page = browser.get("/").content.decode()
        assert "No account yet" in page and "Start on paper now" in page

    def test_adds_the_day_up(self, browser: Client, account: TradingAccount) -> None:
        TradingSession.objects.create(
            workspace=account.workspace,
            user=account.workspace.owner,
            account=account,
            session_date=NOW.date(),
            start_time=NOW,
            realized_pnl=Decimal("14924.00"),
            charges=Decimal("1284.65"),
            capital_at_start=Decimal(1200000),
        )
        page = browser.get("/").content.decode()
        assert "+13,639.35" in page and "+1.14%" in page and "−1,284.65" in page

    def test_of_a_replay_tells_its_last_day(self, browser: Client, account: TradingAccount) -> None:
        TradingAccount.objects.filter(pk=account.pk).update(own_clock=True)
        TradingSession.objects.create(
            workspace=account.workspace,
            user=account.workspace.owner,
            account=account,
            session_date=NOW.date() - timedelta(days=90),
            start_time=NOW,
            realized_pnl=Decimal(250),
            capital_at_start=Decimal(100000),
        )
        page = browser.get("/").content.decode()
        day = f"{NOW - timedelta(days=90):%-d %b %Y}"
        assert f"after charges · {day}" in page and "+250.00" in page

    def test_values_positions_at_the_last_price(
        self, browser: Client, account: TradingAccount, share: Instrument
    ) -> None:
        make_position(account, share)
        page = browser.get("/").content.decode()
        assert "1,400.00" in page and "+100.00" in page

    def test_draws_the_equity_of_today(self, browser: Client, account: TradingAccount) -> None:
        for minute, net in enumerate(("0", "250", "-120", "480")):
            EquityPoint.objects.create(
                account=account,
                session_date=NOW.date(),
                at=NOW - timedelta(minutes=4 - minute),
                net_pnl=Decimal(net),
            )
        page = browser.get("/").content.decode()
        assert "low −120 at 10:28, high +480 at 10:29, now +480" in page

    def test_tells_how_far_the_loss_limit_is(
        self, browser: Client, account: TradingAccount, workspace: Workspace
    ) -> None:
        RiskRule.objects.create(
            workspace=workspace,
            user=workspace.owner,
            rule_type=RuleType.MAX_DAILY_LOSS,
            rule_value=Decimal(25000),
        )
        TradingSession.objects.create(
            workspace=workspace,
            user=workspace.owner,
            account=account,
            session_date=NOW.date(),
            start_time=NOW,
            total_pnl=Decimal(-4000),
            capital_at_start=Decimal(100000),
        )
        page = browser.get("/").content.decode()
        assert "21,000.00" in page and "away from −25,000.00" in page

    def test_shows_only_its_own_desk(
        self, browser: Client, account: TradingAccount, share: Instrument, now: datetime
    ) -> None:
        other = make_user("mira")
        theirs = open_paper_account(
            make_workspace(other, "Other"), user=other, name="Hers", cash=Decimal(1), now=now
        )
        make_order(theirs, share, error_message="not yours")
        make_position(theirs, share, quantity=77)
        page = browser.get("/").content.decode()
        assert "not yours" not in page and "+77" not in page and "Hers" not in page

    def test_does_not_ask_more_for_more_rows(
        self, browser: Client, account: TradingAccount, share: Instrument, user: User
    ) -> None:
        browser.get("/")
        with CaptureQueriesContext(connection) as bare:
            browser.get("/")
        make_position(account, share)
        for number in range(12):
            make_order(account, share, filled_quantity=0, broker_order_id=str(number))
            Notification.objects.create(
                user=user,
                notification_type="RISK_ALERT",
                title="Look",
                message="soon",
                created_at=NOW,
            )
        with CaptureQueriesContext(connection) as full:
            browser.get("/")
        # A quote of the position is read only where there is a position.
        assert len(full) <= len(bare) + 1
        assert len(full) <= 15

    @pytest.mark.parametrize("name", PARTS)
    def test_part_renders_alone_and_listens(
        self, browser: Client, account: TradingAccount, name: str
    ) -> None:
        part = browser.get(f"/home/parts/{name}/").content.decode()
        assert "<html" not in part
        assert "data-live=" in part and f'hx-get="/home/parts/{name}/"' in part


class TestMoney:
    def test_counts_each_account_once_by_its_newest_word(
        self, browser: Client, account: TradingAccount
    ) -> None:
        for used in ("1000", "40000"):
            Funds.objects.create(
                workspace=account.workspace,
                account=account,
                available_balance=Decimal(60000),
                sod_limit=Decimal(100000),
                margin_used=Decimal(used),
                margin_available=Decimal(100000) - Decimal(used),
                as_of=NOW,
            )
        part = browser.get("/home/parts/hero/").content.decode()
        assert "40.0%" in part and "60,000.00" in part

    def test_of_paper_is_never_added_to_live(
        self, browser: Client, account: TradingAccount, share: Instrument, workspace: Workspace
    ) -> None:
        live = open_paper_account(
            workspace, user=workspace.owner, name="Real", cash=Decimal(5), now=NOW
        )
        live.connection.paper_trading = False
        live.connection.save(update_fields=["paper_trading"])
        make_position(account, share)
        make_position(live, share, quantity=3)
        page = browser.get("/home/parts/positions/").content.decode()
        assert "+10<" in page and "+3<" not in page
        browser.post("/scope/", {"scope": str(live.pk)})
        page = browser.get("/home/parts/positions/").content.decode()
        assert "+3<" in page and "+10<" not in page


class TestHaltBand:
    def test_is_absent_while_trading_is_active(
        self, browser: Client, account: TradingAccount
    ) -> None:
        assert b'class="halted"' not in browser.get("/").content

    def test_says_who_stopped_what_and_why(
        self, browser: Client, account: TradingAccount, user: User
    ) -> None:
        TradingState.objects.create(
            workspace=account.workspace,
            account=account,
            state=Trading.HALTED,
            reason="News at noon.",
            changed_by=user,
            changed_at=NOW,
        )
        page = browser.get("/").content.decode()
        assert "Trading is halted for Practice." in page
        assert "News at noon." in page and "by asha" in page
