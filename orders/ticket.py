"""The order window as it stands: the form, the price, what sending would need and say."""

from dataclasses import dataclass, field
from datetime import datetime

from brokers.models import TradingAccount
from brokers.terms import Side
from market.models import Instrument
from market.quotes import QuoteView, quote_of
from operations.figures import rupees
from orders.forms import OrderForm
from orders.preview import Preview, preview_order


@dataclass(frozen=True, slots=True)
class Ticket:
    """``preview`` is None while the form does not read as an order."""

    form: OrderForm
    quote: QuoteView | None
    preview: Preview | None
    account: TradingAccount | None
    now: datetime
    complaints: dict[str, list[str]] = field(default_factory=dict)

    @property
    def instrument(self) -> Instrument:
        return self.form.instrument

    @property
    def side(self) -> Side:
        value = self.form["side"].value()
        return Side(value) if value in Side.values else Side.BUY

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
    def button_words(self) -> str:
        """Say what the button does: Buy 350 · ₹4,94,410."""
        units = self.form.units
        words = f"{self.side.label} {rupees(units, 0)}" if units else self.side.label
        value = self.preview.value if self.preview else None
        return words if value is None else f"{words} · ₹{rupees(value, 0)}"

    @property
    def lot_words(self) -> str:
        lot, units = self.instrument.lot_size, self.form.units
        if lot == 1:
            return ""
        if not units or units % lot:
            return f"Lots of {rupees(lot, 0)}"
        lots = units // lot
        return f"{lots} lot{'' if lots == 1 else 's'} of {rupees(lot, 0)}"


def ticket_of(form: OrderForm, *, now: datetime, is_judged: bool) -> Ticket:
    """Look up what the window shows. A window just opened is not judged: nothing was asked yet."""
    reading = form if form.is_bound else _as_opened(form)
    sound = reading.is_valid()
    preview = preview_order(reading.request(), now=now) if sound else None
    return Ticket(
        form=form,
        quote=quote_of(form.instrument.key),
        preview=preview,
        account=reading.cleaned_data.get("account"),
        now=now,
        complaints=_complaints(reading, preview) if is_judged else {},
    )


def _as_opened(form: OrderForm) -> OrderForm:
    """Read the form as if it were sent the way it opens."""
    opened = {name: form[name].value() for name in form.fields}
    return OrderForm(opened, instrument=form.instrument, accounts=form.accounts)


def _complaints(form: OrderForm, preview: Preview | None) -> dict[str, list[str]]:
    found = {name: [str(each) for each in errors] for name, errors in form.errors.items()}
    for name, errors in (preview.errors if preview else {}).items():
        fresh = [each for each in errors if each not in found.get(name, [])]
        found[name] = [*found.get(name, []), *fresh]
    return found
