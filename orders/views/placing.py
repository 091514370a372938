"""The order window: as a page of its own, and as a sheet over any page."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from brokers.models import TradingAccount
from brokers.scope import SCOPE_KEY, Scope, chosen_scope, scopes_of
from brokers.terms import InstrumentType, OrderType, Product, Side, Validity
from brokers.venue import CalendarUnknown, Phase, installed_venue
from market.models import Instrument
from market.quotes import QuoteView, quote_of
from operations.figures import price, rupees
from orders.forms import OrderForm
from orders.models import Order
from orders.services.placing import IdempotencyConflict, OrderInvalid
from orders.services.slicing import Placed, place_in_slices
from orders.states import OrderStatus
from orders.ticket import Ticket, ticket_of
from orders.views.answers import valid_ids

SHUT = (Phase.CLOSED, Phase.POST_CLOSE)


@require_http_methods(["GET", "POST"])
@trader_required
def new(request: UserRequest) -> HttpResponse:
    """Show the window for an instrument; sent, place the order or say what refuses it."""
    instrument = _instrument(request)
    if request.method == "GET":
        accounts = _accounts(request)
        initial = _initial(request, instrument, accounts)
        form = OrderForm(None, instrument=instrument, accounts=accounts, initial=initial)
        return _window(request, ticket_of(form, now=timezone.now(), is_judged=False))
    form = _form(request, instrument, data=request.POST)
    placed = _placed(request, form) if form.is_valid() else None
    if placed is None:
        return _window(request, ticket_of(form, now=timezone.now(), is_judged=True))
    return _answer(request, placed)


@require_POST
@trader_required
def preview(request: UserRequest) -> HttpResponse:
    """Answer what the order would need and cost as it is being typed."""
    form = _form(request, _instrument(request), data=request.POST)
    ticket = ticket_of(form, now=timezone.now(), is_judged=True)
    return render(request, "orders/_window_preview.html", {"ticket": ticket})


@require_GET
def placed(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    """Follow the order that the window has just sent."""
    visible = Order.objects.visible_to(request.user).filter(workspace=request.workspace)
    order = get_object_or_404(visible.select_related("instrument", "account"), pk=order_id)
    slices = visible.filter(
        source=order.source, idempotency_key__startswith=f"{order.idempotency_key}:"
    )
    others = list(slices.order_by("created_at", "pk"))
    return render(request, "orders/_window_placed.html", {"order": order, "others": others})


def _instrument(request: UserRequest) -> Instrument:
    key = request.POST.get("instrument") or request.GET.get("instrument", "")
    return get_object_or_404(Instrument.objects.active(), key=key)


def _form(request: UserRequest, instrument: Instrument, *, data: QueryDict) -> OrderForm:
    return OrderForm(data, instrument=instrument, accounts=_accounts(request))


def _accounts(request: UserRequest) -> QuerySet[TradingAccount]:
    tradable = TradingAccount.objects.tradable_by(request.user)
    mine = tradable.filter(workspace=request.workspace, is_active=True)
    return mine.select_related("connection", "workspace").order_by("name")


def _initial(
    request: UserRequest, instrument: Instrument, accounts: QuerySet[TradingAccount]
) -> dict[str, object]:
    quote = quote_of(instrument.key)
    scope = chosen_scope(scopes_of(request.workspace), request.session.get(SCOPE_KEY, ""))
    derivative = InstrumentType(instrument.instrument_type).is_derivative
    asked = request.GET
    return {
        "account": asked.get("account") or _preselected(accounts, scope, instrument),
        "side": asked.get("side") if asked.get("side") in Side.values else Side.BUY,
        "product": asked.get("product") or (Product.NRML if derivative else Product.MIS),
        "order_type": asked.get("order_type") or (OrderType.LIMIT if quote else OrderType.MARKET),
        "validity": Validity.DAY,
        "quantity": asked.get("quantity") or instrument.lot_size,
        "price": asked.get("price") or _last_price(quote, instrument),
        "trigger_price": asked.get("trigger_price"),
        "is_amo": _is_shut(instrument, timezone.now()),
        # The window that chose another account is still the same window.
        "idempotency_key": next(iter(valid_ids(asked.getlist("idempotency_key"))), uuid.uuid4()),
    }


def _preselected(
    accounts: Iterable[TradingAccount], scope: Scope, instrument: Instrument
) -> uuid.UUID | None:
    """Choose an account whose broker knows the instrument: those in view first, then paper."""
    shown = {account.pk for account in scope.accounts}
    best = sorted(accounts, key=lambda each: (each.pk not in shown, not each.is_paper))
    if not best or best[0].is_paper:
        return best[0].pk if best else None
    listed = instrument.broker_instruments.values_list("broker_type", flat=True)
    known = set(listed)
    fitting = (each for each in best if each.is_paper or each.connection.broker_type in known)
    return next(fitting, best[0]).pk


def _last_price(quote: QuoteView | None, instrument: Instrument) -> str | None:
    return price(quote.ltp, instrument.tick_size).replace(",", "") if quote else None


def _is_shut(instrument: Instrument, now: datetime) -> bool:
    try:
        return installed_venue().phase(instrument.ref(), now) in SHUT
    except CalendarUnknown:
        return False


def _placed(request: UserRequest, form: OrderForm) -> Placed | None:
    key = str(form.cleaned_data["idempotency_key"])
    try:
        placed = place_in_slices(
            form.request(), user=request.user, idempotency_key=key, now=timezone.now()
        )
    except OrderInvalid as refusal:
        form.refuse(refusal.errors)
        return None
    except IdempotencyConflict:
        form.mint_key()
        form.add_error(None, "This window had sent another order already. Look, and send again.")
        return None
    first = placed.orders[0]
    if first.status == OrderStatus.DENIED:
        form.mint_key()
        form.add_error(None, first.error_message)
        return None
    return placed


def _answer(request: UserRequest, placed: Placed) -> HttpResponse:
    order, *others = placed.orders
    if request.headers.get("HX-Request"):
        context = {"order": order, "others": others, "placed": placed}
        return render(request, "orders/_window_placed.html", context)
    if not others and not placed.not_placed:
        return redirect(order)
    if placed.not_placed:
        words = f"{rupees(placed.not_placed, 0)} were not placed: {placed.reason}"
        messages.error(request, words)
    messages.success(request, f"Placed in {len(placed.orders)} orders, as the exchange takes them.")
    return redirect("orders:list")


def _window(request: UserRequest, ticket: Ticket) -> HttpResponse:
    if not ticket.form.accounts:
        raise PermissionDenied("This desk has no account yet. Open a paper account first.")
    floats = bool(request.headers.get("HX-Request"))
    template = "orders/_window.html" if floats else "orders/window.html"
    # htmx shows nothing of an answer that says it failed, so there a refusal is a plain 200.
    status = 422 if ticket.complaints and not floats else 200
    return render(request, template, {"ticket": ticket}, status=status)
