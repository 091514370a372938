"""The order window as it stands: the form, the price, what sending would need and say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.capabilities import Capabilities, MarketHandling
from brokers.models import TradingAccount
from brokers.registry import UnknownBroker, capabilities_of
from brokers.terms import Product, Side
from market.freshness import list_complaint
from market.models import Instrument
from market.quotes import QuoteView, quote_of
from operations.figures import money, rupees
from operations.sentences import as_sentences
from orders.forms import OrderForm
from orders.preview import Preview, preview_order
from risk.models import Trading
from risk.proposal import Refusal
from risk.selectors import Book, exitable_by_hand, state_with_reason

# The fields as a sentence names them, in the order of the window.
_NAMED = {
    "product": "the product",
    "order_type": "the order type",
    "quantity": "the quantity",
    "price": "the price",
    "trigger_price": "the trigger price",
    "account": "the account",
    "validity": "the validity",
    "disclosed_quantity": "the disclosed quantity",
    "is_amo": "the after-market box",
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """``preview`` is None while the form does not read as an order.

    ``errors`` are what keeps it from being sent, by field; ``complaints`` those shown beside the
    fields. ``halt`` says that the account takes no entries now, and why; empty while it does.
    ``exitable`` is how much of the side is an exit even so. ``unlisted`` says of the instrument
    that the account's broker does not list it as it should.
    """

    form: OrderForm
    quote: QuoteView | None
    preview: Preview | None
    account: TradingAccount | None
    now: datetime
    halt: str = ""
    exitable: int = 0
    unlisted: str = ""
    able: Capabilities | None = None
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    complaints: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def instrument(self) -> Instrument:
        return self.form.instrument

    @property
    def side(self) -> Side:
        return _side(self.form)

    @property
    def is_stale(self) -> bool:
        return self.quote is not None and self.quote.is_stale(self.now)

    @property
    def is_paper(self) -> bool:
        return self.account is None or self.account.is_paper

    @property
    def general(self) -> list[str]:
        """Complaints that no field of the window shows."""
        beside = set(self.form.fields)
        return [
            complaint
            for name, each in self.complaints.items()
            if name not in beside
            for complaint in each
        ]

    @property
    def takes_amo(self) -> bool:
        return self.able is None or self.able.amo

    @property
    def takes_disclosed(self) -> bool:
        return self.able is None or self.able.disclosed_quantity

    @property
    def is_market_raw(self) -> bool:
        """The broker sends a market order to the exchange as it is, without protection."""
        return self.able is not None and self.able.market is MarketHandling.RAW

    @property
    def is_queued(self) -> bool:
        """It would wait for the next open: the after-market box is ticked."""
        return bool(self.form["is_amo"].value())

    @property
    def refusal(self) -> str:
        """What placing it now would answer, word for word; empty for an order that may go."""
        return as_sentences(each.message for each in self._refusals)

    @property
    def is_short(self) -> bool:
        """Nothing but money is missing."""
        return {each.kind for each in self._refusals} == {"MARGIN"}

    @property
    def _refusals(self) -> tuple[Refusal, ...]:
        decision = self.preview.decision if self.preview else None
        return decision.refusals if decision else ()

    @property
    def fields_to_check(self) -> str:
        """Name the fields with errors: the price and the trigger price."""
        return " and ".join(words for name, words in _NAMED.items() if self.errors.get(name))

    @property
    def is_sendable(self) -> bool:
        return not self.errors and not self.refusal

    @property
    def exit_words(self) -> str:
        """Say what is taken while entries are stopped."""
        if not self.exitable:
            return f"Nothing here to exit with a {self.side.label.lower()}."
        return f"You can exit up to {rupees(self.exitable, 0)}."

    @property
    def button_words(self) -> str:
        """Say what the button does: Buy 350 · ₹4,94,410."""
        units = self.form.units
        words = f"{self.side.label} {rupees(units, 0)}" if units else self.side.label
        if self.fields_to_check:
            return f"{words} · check {self.fields_to_check}"
        if not self.is_sendable:
            return f"{words} · {'short of margin' if self.is_short else 'would be refused'}"
        value = self.preview.value if self.preview else None
        words = words if value is None else f"{words} · {self._money(value)}"
        return f"{words} · at the open" if self.is_queued else words

    def _money(self, value: Decimal) -> str:
        return money(value, self.instrument.currency, 0)

    @property
    def lot_words(self) -> str:
        lot, units = self.instrument.lot_size, self.form.units
        if lot == 1:
            return ""
        if not units or units % lot:
            return f"Lots of {rupees(lot, 0)}"
        lots = units // lot
        words = f"{lots} lot{'' if lots == 1 else 's'} of {rupees(lot, 0)}"
        orders = self.preview.orders if self.preview else 1
        return words if orders == 1 else f"{words}, in {orders} orders"


def ticket_of(form: OrderForm, *, now: datetime, is_judged: bool) -> Ticket:
    """Look up what the window shows. A window just opened is not judged: nothing was asked yet."""
    able = _abilities(form, now=now)
    if able is not None:
        form.offer(able)
    reading = form if form.is_bound else _as_opened(form)
    if form.is_bound and not form.is_valid():
        # A refusal of the services must not hide what the order would need and cost.
        reading = form.as_typed()
    sound = reading.is_valid()
    preview = preview_order(reading.request(), now=now) if sound else None
    account = reading.cleaned_data.get("account")
    halt = _halt_words(account) if account else ""
    return Ticket(
        form=form,
        quote=quote_of(form.instrument.key),
        preview=preview,
        account=account,
        now=now,
        halt=halt,
        exitable=_exitable(account, form) if account and halt else 0,
        unlisted=_list_words(account, form.instrument, now) if account else "",
        able=able,
        errors=_merged(reading.errors, preview.errors if preview else {}),
        complaints=_merged(form.errors, preview.errors if preview else {}) if is_judged else {},
    )


def _abilities(form: OrderForm, *, now: datetime) -> Capabilities | None:
    """Return what the chosen account's broker takes of such an instrument; None when unknown."""
    account = form.chosen_account
    if account is None:
        return None
    try:
        return capabilities_of(account, form.instrument.ref().segment, clock=lambda: now)
    except UnknownBroker:
        return None


def _halt_words(account: TradingAccount) -> str:
    state, reason = state_with_reason(account)
    if state is Trading.ACTIVE:
        return ""
    words = "Only exits are taken now" if state is Trading.REDUCING else "Trading is halted"
    return f"{words}. {reason.rstrip('.')}." if reason else f"{words}."


def _exitable(account: TradingAccount, form: OrderForm) -> int:
    """How much of the form's side and product would be an exit, as risk judges it."""
    product = form["product"].value()
    if product not in Product.values:
        return 0
    book = Book(account, form.instrument, Product(product))
    return exitable_by_hand(book, _side(form))


def _side(form: OrderForm) -> Side:
    value = form["side"].value()
    return Side(value) if value in Side.values else Side.BUY


def _list_words(account: TradingAccount, instrument: Instrument, now: datetime) -> str:
    return list_complaint(instrument, broker=account.connection.broker_type, at=now)


def _as_opened(form: OrderForm) -> OrderForm:
    """Read the form as if it were sent the way it opens."""
    opened = {name: form[name].value() for name in form.fields}
    return OrderForm(opened, instrument=form.instrument, accounts=form.accounts)


def _merged(
    of_form: Mapping[str, Iterable[object]], of_order: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    found = {name: [str(each) for each in errors] for name, errors in of_form.items()}
    for name, errors in of_order.items():
        fresh = [each for each in errors if each not in found.get(name, [])]
        found[name] = [*found.get(name, []), *fresh]
    return found
