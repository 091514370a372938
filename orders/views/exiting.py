"""Exit positions: first a look, in numbers, at the orders it takes; then one press."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from brokers.terms import Product
from market.quotes import QuoteView, quotes_of
from market.rules.lots import odd_lot_words
from operations.figures import ist_time, rupees, sums
from operations.ids import new_id
from orders.models import Order
from orders.services.exiting import exit_positions
from orders.slicing import slices_for
from orders.states import OrderStatus
from orders.views.answers import valid_ids
from portfolio.models import Position
from risk.selectors import exitable_quantities


@dataclass(frozen=True, slots=True)
class PlannedExit:
    """What an exit sends for one position, in so many orders.

    ``value`` is None while nobody knows a price; ``remains`` says what no order can close.
    """

    position: Position
    side: str
    quantity: int
    orders: int
    last_price: Decimal | None
    remains: str

    @property
    def value(self) -> Decimal | None:
        return None if self.last_price is None else self.last_price * self.quantity


@require_GET
@trader_required
def preview_exits(request: UserRequest) -> HttpResponse:
    planned = _planned(_chosen(request))
    context = {
        "planned": planned,
        "orders": sum(each.orders for each in planned),
        "value": sums(_values(planned), 0),
        "is_paper": bool(planned) and all(each.position.account.is_paper for each in planned),
        # The key makes a second press of the same button find the orders of the first.
        "key": new_id().hex,
    }
    return render(request, "orders/exit.html", context)


@require_POST
@trader_required
def exit_chosen(request: UserRequest) -> HttpResponse:
    mine = Position.objects.tradable_by(request.user).filter(workspace=request.workspace)
    chosen = mine.open().filter(pk__in=valid_ids(request.POST.getlist("position")))
    now = timezone.now()
    orders, complaints = exit_positions(
        chosen.select_related("instrument", "account__connection"),
        by=request.user,
        now=now,
        idempotency_key=request.POST.get("key", ""),
    )
    for complaint in complaints:
        messages.error(request, complaint)
    tell_exits(request, orders, now=now)
    return redirect("portfolio:positions")


def tell_exits(request: UserRequest, orders: list[Order], *, now: datetime) -> None:
    """Say what became of each exit; one older than this request is another press's."""
    fresh = [order for order in orders if order.created_at >= now]
    placed = sum(1 for order in fresh if order.status != OrderStatus.DENIED)
    if placed:
        messages.success(request, f"{placed} exit order{pluralize(placed)} placed.")
    for order in orders:
        words = f"{order.side} {rupees(order.quantity, 0)} {order.instrument.trading_symbol}"
        if order.status == OrderStatus.DENIED:
            messages.error(request, f"{words} was refused: {order.error_message}")
        elif order.created_at < now:
            asked = f"was placed at {ist_time(order.created_at)} already"
            state = order.get_status_display().lower()
            messages.warning(request, f"{words} {asked} ({state}). Nothing new was sent.")


def _chosen(request: UserRequest) -> QuerySet[Position]:
    """Open positions by the address: chosen ones, one strategy's, intraday ones, or all."""
    visible = Position.objects.tradable_by(request.user).filter(workspace=request.workspace)
    positions = visible.open().select_related(
        "instrument", "account__connection", "user_strategy__strategy"
    )
    which = request.GET.get("which", "chosen")
    if which == "chosen":
        positions = positions.filter(pk__in=valid_ids(request.GET.getlist("position")))
    elif which == "intraday":
        positions = positions.filter(product=Product.MIS)
    elif which == "losing":
        positions = positions.filter(unrealized_pnl__lt=0)
    elif which == "strategy":
        strategies = valid_ids(request.GET.getlist("strategy"))
        positions = positions.filter(user_strategy__in=strategies)
    accounts = valid_ids(request.GET.getlist("account"))
    if accounts:
        positions = positions.filter(account__in=accounts)
    return positions.order_by("account__name", "instrument__key", "pk")


def _values(planned: Iterable[PlannedExit]) -> dict[str, Decimal]:
    """Add up by currency: dollars and rupees make no sum."""
    values: dict[str, Decimal] = defaultdict(Decimal)
    for each in planned:
        values[each.position.account.currency] += each.value or Decimal(0)
    return values


def _planned(positions: QuerySet[Position]) -> list[PlannedExit]:
    """What an exit takes of each position; one whose exit is on its way already takes nothing."""
    quotes = quotes_of({position.instrument.key for position in positions})
    leaving, now = exitable_quantities(positions), timezone.now()
    return [
        _planned_exit(position, leaving[position.pk], quotes.get(position.instrument.key), now)
        for position in positions
        if leaving[position.pk]
    ]


def _planned_exit(
    position: Position, leaving: int, quote: QuoteView | None, now: datetime
) -> PlannedExit:
    slices = slices_for(position.instrument, leaving, at=now)
    odd_lot = slices.odd_lot
    return PlannedExit(
        position,
        side="SELL" if position.quantity > 0 else "BUY",
        quantity=slices.whole,
        orders=slices.count,
        last_price=quote.ltp if quote else None,
        remains=odd_lot_words(position.instrument, odd_lot) if odd_lot else "",
    )
