"""The positions page: what is open, what was closed today, what the day came to."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from accounts.models import TRADING_ROLES
from brokers.scope import SCOPE_KEY, chosen_scope, scopes_of
from brokers.venue import installed_venue
from operations.listing import csv_response
from portfolio.board import (
    at_board_prices,
    closed_on,
    day_positions,
    differences_on,
    expired_in,
    positions_board,
    square_offs,
    strategy_days,
    strategy_name,
)
from portfolio.models import Position
from portfolio.selectors import DayBooks, day_summary
from portfolio.shown_days import latest_sessions, shown_days

POSITION_FILE = (
    "Account", "Strategy", "Instrument", "Product", "Kind", "Status", "Day", "Quantity",
    "Average price", "Last price", "Bought", "Bought at", "Sold", "Sold at", "Realised",
    "Unrealised", "Charges", "Currency", "Opened at", "Closed at",
)  # fmt: skip


@require_GET
def positions(request: UserRequest, template: str = "portfolio/positions.html") -> HttpResponse:
    """Show the accounts of the chosen scope; ``?by=strategy`` groups by strategy."""
    now = timezone.now()
    scope = chosen_scope(scopes_of(request.workspace), request.session.get(SCOPE_KEY, ""))
    by_strategy = request.GET.get("by") == "strategy"
    board = positions_board(scope.accounts, by_strategy=by_strategy, now=now)
    sessions = latest_sessions(scope.accounts, now=now)
    days = shown_days(scope.accounts, now=now, sessions=sessions)
    traded = day_positions(days)
    summary = day_summary(scope.accounts, now=now, books=DayBooks(sessions))
    context = {
        "scope": scope,
        "days": days,
        "board": board,
        "by_strategy": by_strategy,
        "expired": expired_in(board.rows, now=now),
        "summary": at_board_prices(summary, board),
        "differences": differences_on(days),
        "closed": closed_on(days),
        "traded": traded,
        "strategies": strategy_days(board, traded),
        "square_offs": square_offs(board.rows, venue=installed_venue(), now=now),
        "may_trade": request.membership.role in TRADING_ROLES,
        "scope_query": "".join(f"&account={account.pk}" for account in scope.accounts),
        "query": request.GET.urlencode(),
        "now": now,
    }
    return render(request, template, context)


@require_GET
def export_positions(request: UserRequest) -> HttpResponse:
    """Answer every position of the chosen accounts, open and closed, newest first."""
    scope = chosen_scope(scopes_of(request.workspace), request.session.get(SCOPE_KEY, ""))
    visible = Position.objects.visible_to(request.user).filter(account__in=scope.accounts)
    rows = (_file_row(position) for position in _newest_first(visible).iterator())
    return csv_response("positions", header=POSITION_FILE, rows=rows)


def _newest_first(visible: QuerySet[Position]) -> QuerySet[Position]:
    related = visible.select_related("instrument", "account", "user_strategy__strategy")
    return related.order_by("-opened_at", "-pk")


def _file_row(position: Position) -> tuple[object, ...]:
    return (
        position.account.name, strategy_name(position), position.instrument.key,
        position.product, position.position_type, position.status, position.session_date,
        position.quantity, position.average_price, position.last_price,
        position.buy_quantity, position.buy_average_price, position.sell_quantity,
        position.sell_average_price, position.realized_pnl, position.unrealized_pnl,
        position.charges, position.account.currency, position.opened_at.isoformat(),
        position.closed_at.isoformat() if position.closed_at else "",
    )  # fmt: skip
