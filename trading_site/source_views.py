"""The SQL views that readers of source schema 004 know, kept over our own tables.

They are dropped before a migration and made again after it, for neither SQLite nor PostgreSQL
lets a table be altered under a view.
"""

from collections.abc import Iterable

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from orders.states import ALIVE


class Term:
    """A piece of SQL that each dialect writes its own way: ``{since:t.traded_at:7}``."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def __format__(self, arguments: str) -> str:
        column, _, days = arguments.partition(":")
        return self.sql.format(column=column, days=days)


DIALECTS = {
    "sqlite": {
        "unix": Term("CAST(strftime('%s', {column}) AS INTEGER)"),
        "age": Term("CAST(strftime('%s', 'now') - strftime('%s', {column}) AS INTEGER)"),
        "since": Term("{column} > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{days} days')"),
    },
    "postgresql": {
        "unix": Term("CAST(EXTRACT(EPOCH FROM {column}) AS bigint)"),
        "age": Term("CAST(EXTRACT(EPOCH FROM now() - {column}) AS bigint)"),
        "since": Term("{column} > now() - interval '{days} days'"),
    },
}

# The account's own broker's number for the instrument where it is known, else our key.
_SECURITY_ID = """COALESCE((
    SELECT bi.security_id FROM broker_instruments bi
    JOIN user_broker_connections bc ON bc.broker_type = bi.broker_type AND bc.id = a.connection_id
    WHERE bi.instrument_id = i.id ORDER BY bi.id LIMIT 1), i.key) AS security_id"""

# What several views say in the same words.
PHRASES = {
    "alive": ", ".join(f"'{status}'" for status in sorted(ALIVE)),
    "account": "a.id AS account_id, a.name AS account_name, a.account_type",
    "security_id": _SECURITY_ID,
    "instrument": f"{_SECURITY_ID}, i.trading_symbol, i.segment AS exchange_segment",
    "order": """o.id AS order_id, o.broker_order_id, o.exchange_order_id, o.tag, o.side,
        o.order_type, o.product, o.validity, o.quantity, o.price, o.trigger_price,
        o.filled_quantity AS traded_qty, o.quantity - o.filled_quantity AS remaining_qty,
        o.average_price, o.status""",
    "orders": """orders o JOIN accounts a ON a.id = o.account_id
        JOIN instruments i ON i.id = o.instrument_id""",
}

VIEWS = {
    "v_active_orders": """
        SELECT {order}, {account}, {instrument}, o.created_at, o.updated_at,
            m.leader_order_id, m.follower_order_id, m.status AS copy_status
        FROM {orders}
        LEFT JOIN copy_mappings m ON m.leader_order_id = o.id OR m.follower_order_id = o.id
        WHERE o.status IN ({alive})""",
    "v_active_forever_orders": """
        SELECT o.id AS forever_order_id, o.broker_trigger_id, {account}, {instrument},
            o.kind AS order_type, o.trigger_condition, o.side, o.product, o.quantity,
            o.trigger_price, o.price, o.second_trigger_price, o.second_price,
            o.triggered_order_id, o.status, o.expires_at, o.created_at
        FROM forever_orders o JOIN accounts a ON a.id = o.account_id
        JOIN instruments i ON i.id = o.instrument_id
        WHERE o.status = 'ACTIVE'""",
    "v_active_bracket_orders": """
        SELECT {order}, {account}, {instrument}, o.bo_profit_value, o.bo_stop_loss_value,
            o.bo_order_type, l.id AS leg_id, l.leg_type, l.quantity AS leg_quantity,
            l.price AS leg_price, l.trigger_price AS leg_trigger_price, l.status AS leg_status,
            l.order_id AS leg_order_id, o.created_at
        FROM {orders} JOIN bracket_order_legs l ON l.parent_order_id = o.id
        WHERE o.status IN ({alive}) OR l.status IN ({alive})""",
    "v_cover_orders": """
        SELECT {order}, {account}, {instrument}, o.co_stop_loss_value, o.co_trigger_price,
            o.created_at
        FROM {orders}
        WHERE o.co_stop_loss_value IS NOT NULL OR o.co_trigger_price IS NOT NULL""",
    "v_active_websocket_connections": """
        SELECT s.id AS connection_id, c.broker_type, {account}, s.status, s.subscribed_events,
            s.connected_at, s.last_heartbeat_at, {age:s.last_heartbeat_at}
            AS seconds_since_heartbeat, s.reconnect_attempts AS connect_attempts
        FROM websocket_connections s JOIN user_broker_connections c ON c.id = s.connection_id
        LEFT JOIN accounts a ON a.id = s.account_id
        WHERE s.status IN ('CONNECTING', 'CONNECTED')""",
    "v_latest_positions": """
        SELECT {account}, {instrument}, p.id AS position_id, p.product,
            p.position_type, p.quantity AS net_qty, p.buy_quantity AS buy_qty,
            p.sell_quantity AS sell_qty, p.open_cost, p.realized_pnl AS realized_pl,
            p.unrealized_pnl AS unrealized_pl, p.realized_pnl + p.unrealized_pnl AS total_pl,
            p.last_price AS ltp, p.close_price, p.margin_required, p.marked_at, p.updated_at
        FROM (
            SELECT positions.*, ROW_NUMBER() OVER (
                PARTITION BY account_id, instrument_id, product, user_strategy_id
                ORDER BY opened_at DESC, id DESC) AS age_rank
            FROM positions WHERE position_type = 'NET'
        ) p JOIN accounts a ON a.id = p.account_id
        JOIN instruments i ON i.id = p.instrument_id
        WHERE p.age_rank = 1""",
    "v_latest_holdings": """
        SELECT {account}, {instrument}, i.isin, h.total_quantity AS total_qty,
            h.dp_quantity AS dp_qty, h.t1_quantity AS t1_qty,
            h.available_quantity AS available_qty, h.collateral_quantity AS collateral_qty,
            h.average_price AS avg_cost, h.last_price AS ltp,
            (h.last_price - h.average_price) * h.total_quantity AS pnl, h.as_of
        FROM holdings h JOIN accounts a ON a.id = h.account_id
        JOIN instruments i ON i.id = h.instrument_id""",
    "v_latest_funds": """
        SELECT {account}, f.cash, f.available_balance, f.sod_limit, f.collateral_value,
            f.margin_used, f.margin_available, f.withdrawable_balance, f.blocked_margin, f.as_of
        FROM (
            SELECT funds.*, ROW_NUMBER() OVER (
                PARTITION BY account_id ORDER BY as_of DESC, id DESC) AS age_rank
            FROM funds
        ) f JOIN accounts a ON a.id = f.account_id
        WHERE f.age_rank = 1""",
    "v_recent_trades": """
        SELECT t.id AS trade_id, t.broker_trade_id, t.exchange_trade_id, t.order_id, {account},
            {instrument}, t.side, t.product, t.quantity, t.price, t.realized_pnl AS realized_pl,
            t.brokerage + t.exchange_charges + t.clearing_charges + t.sebi_fee + t.stt
            + t.stamp_duty + t.gst AS total_charges, t.net_amount, t.traded_at
        FROM trades t JOIN accounts a ON a.id = t.account_id
        JOIN instruments i ON i.id = t.instrument_id
        WHERE {since:t.traded_at:7}""",
    "v_recent_errors": """
        SELECT error_type, error_code, severity, COUNT(*) AS error_count,
            MIN(created_at) AS first_occurred, MAX(created_at) AS last_occurred
        FROM error_log WHERE {since:created_at:1}
        GROUP BY error_type, error_code, severity""",
    "risk_violations": """
        SELECT v.id, {account}, v.violation_type, v.actual_value, v.limit_value, v.message,
            v.action_taken, v.order_id, {security_id}, {unix:v.violated_at} AS violated_at
        FROM risk_violation_records v LEFT JOIN accounts a ON a.id = v.account_id
        LEFT JOIN instruments i ON i.id = v.instrument_id""",
}


def drop_views_before(
    sender: AppConfig, *, using: str, plan: Iterable[object] = (), **_: object
) -> None:
    """Clear the way for the migrations that are about to run: a receiver of ``pre_migrate``."""
    if plan:
        drop_views(connections[using])


def create_views_after(
    sender: AppConfig, *, using: str, plan: Iterable[object] | None = None, **_: object
) -> None:
    """Make the views once the schema is whole again: a receiver of ``post_migrate``."""
    # A flush sends the signal too, without a plan: no table changes then.
    if plan is None:
        return
    executor = MigrationExecutor(connections[using])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        create_views(connections[using])


def drop_views(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for name in VIEWS:
            cursor.execute(f"DROP VIEW IF EXISTS {name}")


def create_views(connection: BaseDatabaseWrapper) -> None:
    """Make all views anew, in this database's dialect."""
    drop_views(connection)
    words = PHRASES | DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        for name, query in VIEWS.items():
            # Without parameters, so that no percent sign is taken for one.
            cursor.execute(f"CREATE VIEW {name} AS {query.format(**words)}")
