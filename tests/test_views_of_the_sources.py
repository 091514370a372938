"""The views of source schema 004, and the five statements of its "Usage Examples" as they stand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from brokers.models import AccountType, StreamConnection, StreamStatus, TradingAccount
from brokers.terms import OrderType, Product, Segment, Side
from copytrading.models import CopyLink, CopyMapping
from market.models import BrokerInstrument
from operations.models import ErrorLog
from orders.models import (
    BracketLeg,
    ForeverKind,
    ForeverOrder,
    LegType,
    Order,
    Trade,
    TriggerCondition,
)
from orders.states import OrderStatus
from portfolio.models import Funds, Holding, Position, PositionSide, PositionStatus, PositionType
from risk.models import RiskViolation, ViolationAction
from tests.builders import make_account, make_instrument, make_user, make_workspace
from trading_site.source_views import VIEWS

pytestmark = pytest.mark.django_db

Row = dict[str, object]

FILLED: Row = {
    "status": OrderStatus.FILLED,
    "filled_quantity": 10,
    "average_price": Decimal("100"),
}
EVERYTHING = "SELECT * FROM {}"

ACTIVE_ORDERS = """
SELECT * FROM v_active_orders 
WHERE account_type = 'leader'
ORDER BY created_at DESC;
"""  # noqa: W291  # as it stands in the source
LATEST_POSITIONS = """
SELECT 
    security_id,
    net_qty,
    realized_pl,
    unrealized_pl,
    total_pl
FROM v_latest_positions
WHERE account_type = 'follower'
AND net_qty != 0;
"""  # noqa: W291
RISK_VIOLATIONS = """
SELECT 
    violation_type,
    actual_value,
    limit_value,
    action_taken,
    datetime(violated_at, 'unixepoch') as violated_time
FROM risk_violations
WHERE violated_at > (strftime('%s', 'now') - 86400)
ORDER BY violated_at DESC;
"""  # noqa: W291
WEBSOCKET_HEALTH = """
SELECT 
    account_type,
    status,
    seconds_since_heartbeat,
    connect_attempts
FROM v_active_websocket_connections;
"""  # noqa: W291
RECENT_ERRORS = """
SELECT * FROM v_recent_errors
ORDER BY error_count DESC, last_occurred DESC;
"""


def rows_of(statement: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def columns(rows: list[Row], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(make_user())


@pytest.fixture
def leader(workspace: Workspace) -> TradingAccount:
    return make_account(workspace, "Leader", account_type=AccountType.LEADER)


@pytest.fixture
def follower(workspace: Workspace) -> TradingAccount:
    return make_account(workspace, "Follower", account_type=AccountType.FOLLOWER)


def make_order(account: TradingAccount, tag: str, **fields: object) -> Order:
    now = timezone.now()
    instrument = fields.pop("instrument", None) or make_instrument(f"NSE:{tag}")
    return Order.objects.create(
        **{
            "workspace": account.workspace,
            "user": account.workspace.owner,
            "account": account,
            "instrument": instrument,
            "tag": tag,
            "idempotency_key": tag,
            "side": Side.BUY,
            "order_type": OrderType.MARKET,
            "quantity": 10,
            "expires_at": now,
            "created_at": now,
            "status": OrderStatus.OPEN,
            **fields,
        }
    )


def make_position(account: TradingAccount, key: str, quantity: int, **fields: object) -> Position:
    now = timezone.now()
    instrument = fields.pop("instrument", None) or make_instrument(key)
    return Position.objects.create(
        **{
            "workspace": account.workspace,
            "user": account.workspace.owner,
            "account": account,
            "instrument": instrument,
            "product": Product.MIS,
            "session_date": now.date(),
            "side": PositionSide.LONG,
            "quantity": quantity,
            "open_cost": Decimal(100 * quantity),
            "opened_at": now,
            "status": PositionStatus.OPEN if quantity else PositionStatus.CLOSED,
            **fields,
        }
    )


def make_violation(account: TradingAccount | None, workspace: Workspace, **fields: object) -> None:
    RiskViolation.objects.create(
        **{
            "workspace": workspace,
            "account": account,
            "violation_type": "MAX_DAILY_LOSS",
            "actual_value": Decimal("5200"),
            "limit_value": Decimal("5000"),
            "message": "Loss of the day",
            "action_taken": ViolationAction.ORDER_REJECTED,
            "violated_at": timezone.now(),
            **fields,
        }
    )


class TestEveryView:
    @pytest.mark.parametrize("name", VIEWS)
    def test_can_be_read_when_it_is_empty(self, name: str) -> None:
        assert rows_of(EVERYTHING.format(name)) == []

    def test_is_one_of_the_ten_or_the_table_that_became_one(self) -> None:
        assert set(VIEWS) == {
            "v_active_orders",
            "v_active_forever_orders",
            "v_active_bracket_orders",
            "v_cover_orders",
            "v_active_websocket_connections",
            "v_latest_positions",
            "v_latest_holdings",
            "v_latest_funds",
            "v_recent_trades",
            "v_recent_errors",
            "risk_violations",
        }


class TestActiveOrders:
    def test_are_a_leaders_that_may_still_fill_newest_first(
        self, leader: TradingAccount, follower: TradingAccount
    ) -> None:
        now = timezone.now()
        make_order(
            leader,
            "EARLY",
            created_at=now - timedelta(minutes=1),
            status=OrderStatus.PARTIALLY_FILLED,
            filled_quantity=4,
            average_price=Decimal("100"),
        )
        make_order(leader, "LATE", created_at=now)
        make_order(leader, "DONE", **FILLED)
        make_order(follower, "OTHER")
        rows = rows_of(ACTIVE_ORDERS)
        assert columns(rows, "tag", "traded_qty", "remaining_qty") == [
            ("LATE", 0, 10),
            ("EARLY", 4, 6),
        ]

    def test_show_what_they_became_for_a_follower(
        self, leader: TradingAccount, follower: TradingAccount
    ) -> None:
        link = CopyLink.objects.create(workspace=leader.workspace, leader=leader, follower=follower)
        CopyMapping.objects.create(
            link=link, leader_order=make_order(leader, "FIRST"), leader_quantity=10
        )
        assert columns(rows_of(ACTIVE_ORDERS), "copy_status", "follower_order_id") == [
            ("pending", None)
        ]


class TestLatestPositions:
    def test_are_a_followers_open_ones_with_their_profit(self, follower: TradingAccount) -> None:
        make_position(
            follower, "NSE:OPEN", 10, realized_pnl=Decimal("50"), unrealized_pnl=Decimal("-20.5")
        )
        make_position(follower, "NSE:FLAT", 0, realized_pnl=Decimal("7"))
        rows = rows_of(LATEST_POSITIONS)
        assert columns(rows, "security_id", "net_qty", "total_pl") == [
            ("NSE:OPEN", 10, Decimal("29.5"))
        ]

    def test_leave_out_what_was_held_before_and_what_one_day_did(
        self, follower: TradingAccount
    ) -> None:
        current = make_position(follower, "NSE:OPEN", 10)
        before = current.opened_at - timedelta(days=1)
        make_position(follower, "", 0, instrument=current.instrument, opened_at=before)
        make_position(
            follower, "", 10, instrument=current.instrument, position_type=PositionType.DAY
        )
        assert len(rows_of("SELECT * FROM v_latest_positions")) == 1

    def test_use_the_brokers_own_number_where_it_is_known(self, follower: TradingAccount) -> None:
        position = make_position(follower, "NSE:OPEN", 10)
        for broker_type, number in (("paper", "2885"), ("dhan", "999")):
            BrokerInstrument.objects.create(
                instrument=position.instrument,
                broker_type=broker_type,
                exchange="NSE",
                security_id=number,
            )
        assert columns(rows_of(LATEST_POSITIONS), "security_id") == [("2885",)]


class TestRiskViolations:
    @pytest.mark.skipif(connection.vendor != "sqlite", reason="The source wrote it for SQLite")
    def test_are_those_of_the_last_day_newest_first(
        self, workspace: Workspace, leader: TradingAccount
    ) -> None:
        now = timezone.now().replace(microsecond=0)
        make_violation(leader, workspace, violated_at=now - timedelta(hours=23))
        make_violation(None, workspace, violated_at=now, violation_type="MAX_LOTS")
        make_violation(leader, workspace, violated_at=now - timedelta(hours=25))
        rows = rows_of(RISK_VIOLATIONS)
        assert columns(rows, "violation_type", "actual_value", "action_taken") == [
            ("MAX_LOTS", Decimal("5200"), "ORDER_REJECTED"),
            ("MAX_DAILY_LOSS", Decimal("5200"), "ORDER_REJECTED"),
        ]
        assert rows[0]["violated_time"] == f"{now:%Y-%m-%d %H:%M:%S}"

    def test_tell_the_time_in_seconds(self, workspace: Workspace) -> None:
        now = timezone.now().replace(microsecond=0)
        make_violation(None, workspace, violated_at=now)
        rows = rows_of("SELECT violated_at FROM risk_violations")
        assert rows == [{"violated_at": int(now.timestamp())}]


class TestWebsocketHealth:
    def test_is_told_of_live_connections_only(self, leader: TradingAccount) -> None:
        heartbeat = timezone.now() - timedelta(seconds=40)
        for status in (StreamStatus.CONNECTED, StreamStatus.ERROR):
            StreamConnection.objects.create(
                connection=leader.connection,
                account=leader,
                status=status,
                last_heartbeat_at=heartbeat,
                reconnect_attempts=3,
            )
        [row] = rows_of(WEBSOCKET_HEALTH)
        age = row.pop("seconds_since_heartbeat")
        assert row == {"account_type": "leader", "status": "CONNECTED", "connect_attempts": 3}
        assert age in range(40, 50)


class TestRecentErrors:
    def test_are_counted_by_kind_and_the_old_left_out(self) -> None:
        for kind in ("Timeout", "Refused", "Timeout"):
            ErrorLog.objects.create(error_type=kind)
        old = ErrorLog.objects.create(error_type="Timeout")
        ErrorLog.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
        rows = rows_of(RECENT_ERRORS)
        assert columns(rows, "error_type", "error_count") == [("Timeout", 2), ("Refused", 1)]
        assert all(row["last_occurred"] for row in rows)


class TestOtherViews:
    def test_latest_funds_are_the_newest_of_each_account(
        self, leader: TradingAccount, follower: TradingAccount
    ) -> None:
        now = timezone.now()
        for account, minutes, balance in ((leader, 5, 1), (leader, 0, 2), (follower, 9, 3)):
            Funds.objects.create(
                workspace=account.workspace,
                account=account,
                available_balance=balance,
                sod_limit=0,
                as_of=now - timedelta(minutes=minutes),
            )
        rows = rows_of("SELECT * FROM v_latest_funds ORDER BY available_balance")
        assert columns(rows, "account_name", "available_balance") == [
            ("Leader", 2),
            ("Follower", 3),
        ]

    def test_latest_holdings_tell_their_gain(self, leader: TradingAccount) -> None:
        Holding.objects.create(
            workspace=leader.workspace,
            account=leader,
            instrument=make_instrument(),
            total_quantity=10,
            dp_quantity=10,
            average_price=Decimal("100"),
            last_price=Decimal("101.5"),
            as_of=timezone.now(),
        )
        rows = rows_of("SELECT * FROM v_latest_holdings")
        assert columns(rows, "security_id", "pnl") == [("NSE:RELIANCE", Decimal(15))]

    def test_recent_trades_add_their_charges_up(self, leader: TradingAccount) -> None:
        order = make_order(leader, "FILLED", **FILLED)
        for number, days in (("1", 0), ("2", 8)):
            Trade.objects.create(
                workspace=leader.workspace,
                account=leader,
                order=order,
                instrument=order.instrument,
                broker_trade_id=number,
                side=order.side,
                product=order.product,
                quantity=10,
                price=Decimal("100"),
                brokerage=Decimal("20"),
                gst=Decimal("3.6"),
                session_date=timezone.now().date(),
                traded_at=timezone.now() - timedelta(days=days),
                created_at=timezone.now(),
            )
        rows = rows_of("SELECT * FROM v_recent_trades")
        [(trade, charges)] = columns(rows, "broker_trade_id", "total_charges")
        assert trade == "1"
        # SQLite adds in floating point, PostgreSQL in decimals.
        assert round(Decimal(str(charges)), 4) == Decimal("23.6")

    def test_cover_orders_are_those_with_a_stop_loss_of_their_own(
        self, leader: TradingAccount
    ) -> None:
        make_order(leader, "PLAIN")
        make_order(leader, "COVER", co_trigger_price=Decimal("95"))
        assert columns(rows_of("SELECT * FROM v_cover_orders"), "tag") == [("COVER",)]

    def test_bracket_orders_show_each_leg(self, leader: TradingAccount) -> None:
        parent = make_order(leader, "BRACKET", **FILLED)
        for leg_type, status in ((LegType.TARGET, "OPEN"), (LegType.ENTRY, "FILLED")):
            BracketLeg.objects.create(
                parent_order=parent, leg_type=leg_type, quantity=10, status=status
            )
        rows = rows_of("SELECT * FROM v_active_bracket_orders")
        assert columns(rows, "tag", "leg_type", "leg_status") == [("BRACKET", "TARGET", "OPEN")]

    def test_forever_orders_are_those_that_still_wait(self, leader: TradingAccount) -> None:
        instrument = make_instrument(segment=Segment.NSE_EQ)
        for status in ("ACTIVE", "TRIGGERED"):
            ForeverOrder.objects.create(
                workspace=leader.workspace,
                user=leader.workspace.owner,
                account=leader,
                instrument=instrument,
                kind=ForeverKind.SINGLE,
                trigger_condition=TriggerCondition.LTP_ABOVE,
                side=Side.BUY,
                product=Product.CNC,
                quantity=1,
                trigger_price=Decimal("100"),
                price=Decimal("100"),
                status=status,
                expires_at=timezone.now(),
            )
        rows = rows_of("SELECT * FROM v_active_forever_orders")
        assert columns(rows, "status", "order_type") == [("ACTIVE", "SINGLE")]
