"""The order window's form: it reads what a person typed; the order services judge it."""

import uuid
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from brokers.capabilities import Capabilities, MarketHandling
from brokers.models import TradingAccount
from brokers.terms import InstrumentType, OrderType, Product, Side, Validity
from market.models import Instrument
from operations.amounts import FigureField, UnitsField
from operations.figures import price
from orders.requests import OrderRequest
from orders.validation import IDLE_PRICES

SHARE_PRODUCTS = (Product.MIS, Product.CNC)
CONTRACT_PRODUCTS = (Product.MIS, Product.NRML)
SHORT_PRODUCTS = {Product.MIS: "Intraday", Product.CNC: "Delivery", Product.NRML: "Carry forward"}
# As the buttons of the window name them.
TYPES = [("MARKET", "Market"), ("LIMIT", "Limit"), ("SL", "SL"), ("SL-M", "SL-M")]


class OrderForm(forms.Form):
    """One order on one instrument, for one of the accounts handed in."""

    account = forms.ModelChoiceField(
        TradingAccount.objects.none(),
        empty_label=None,
        error_messages={"required": "Choose an account", "invalid_choice": "Choose an account"},
    )
    side = forms.ChoiceField(choices=Side.choices)
    product = forms.ChoiceField()
    order_type = forms.ChoiceField(choices=TYPES)
    validity = forms.ChoiceField(choices=Validity.choices)
    quantity = UnitsField(min_value=1, max_value=10**9, error_messages={"required": "How many?"})
    price = FigureField(required=False, max_digits=15, decimal_places=4)
    trigger_price = FigureField(required=False, max_digits=15, decimal_places=4)
    disclosed_quantity = UnitsField(required=False, min_value=0, max_value=10**9)
    is_amo = forms.BooleanField(required=False)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        instrument: Instrument,
        accounts: QuerySet[TradingAccount],
        initial: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="order_%s")
        self.instrument = instrument
        self.accounts = accounts
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["product"].choices = product_choices(instrument)  # type: ignore[attr-defined]

    @property
    def chosen_account(self) -> TradingAccount | None:
        """The account as chosen so far, the first one where none is."""
        value = str(self["account"].value() or "")
        named = (each for each in self.accounts if str(each.pk) == value)
        return next(named, self.accounts[0] if self.accounts else None)

    def offer(self, able: Capabilities) -> None:
        """Show only what the broker takes. What is sent all the same is refused in words."""
        taken = able.order_types
        if able.market is MarketHandling.REFUSED:
            taken -= {OrderType.MARKET}
        self._narrow("product", able.products)
        self._narrow("order_type", taken)
        self._narrow("validity", able.validities)

    def _narrow(self, name: str, taken: Collection[str]) -> None:
        field = self.fields[name]
        shown = [choice for choice in field.choices if choice[0] in taken]  # type: ignore[attr-defined]
        field.widget.choices = shown
        if not self.is_bound and shown and self.initial.get(name) not in dict(shown):
            self.initial[name] = shown[0][0]

    def as_typed(self) -> "OrderForm":
        """Read the same once more, without what the services have refused of it since."""
        return OrderForm(self.data, instrument=self.instrument, accounts=self.accounts)

    def request(self) -> OrderRequest:
        """Say what was asked for; only after ``is_valid``."""
        given = self.cleaned_data
        order_type = OrderType(given["order_type"])
        return OrderRequest(
            account=given["account"],
            instrument=self.instrument,
            side=Side(given["side"]),
            quantity=given["quantity"],
            order_type=order_type,
            product=Product(given["product"]),
            validity=Validity(given["validity"]),
            # A field that the chosen type hides may still hold what was typed before.
            price=given["price"] if order_type.needs_price else None,
            trigger_price=given["trigger_price"] if order_type.needs_trigger else None,
            disclosed_quantity=given["disclosed_quantity"] or 0,
            is_amo=given["is_amo"],
        )

    def clean(self) -> dict[str, Any] | None:
        """Refuse what the window has no field for and a program may send: it would be ignored."""
        for name, words in IDLE_PRICES.items():
            if self.data.get(name):
                self.add_error(None, words)
        return super().clean()

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Put each complaint beside its field, or above the form where no field shows it."""
        for name, complaints in errors.items():
            for complaint in complaints:
                self.add_error(name if name in self.fields else None, complaint)

    def mint_key(self) -> None:
        """Give the form a fresh key, since the one it carries has been used."""
        self.data = {**self.data.dict(), "idempotency_key": str(uuid.uuid4())}  # type: ignore[attr-defined]

    @property
    def units(self) -> int | None:
        """The quantity as typed so far; None while it does not read as one."""
        units: int | None = self._typed("quantity")
        return units

    @property
    def nearest_prices(self) -> list[str]:
        """The two prices on the tick around the one that was typed, to choose with one click."""
        typed: Decimal | None = self._typed("price")
        tick = self.instrument.tick_size
        if typed is None or typed <= 0 or typed % tick == 0:
            return []
        below = typed // tick * tick
        return [price(each, tick).replace(",", "") for each in (below, below + tick) if each > 0]

    def _typed(self, name: str) -> Any:
        """Read one field by itself: refused, it has left ``cleaned_data``."""
        try:
            return self.fields[name].clean(self[name].value())
        except forms.ValidationError:
            return None


def product_choices(instrument: Instrument) -> list[tuple[str, str]]:
    kind = InstrumentType(instrument.instrument_type)
    products = CONTRACT_PRODUCTS if kind.is_derivative else SHARE_PRODUCTS
    return [(product.value, SHORT_PRODUCTS[product]) for product in products]
