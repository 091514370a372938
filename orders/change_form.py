"""The form that changes a working order."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from operations.amounts import FigureField, UnitsField
from orders.models import Order
from orders.services.modifying import OrderChanges

SMALLEST = Decimal("0.0001")


class ChangeForm(forms.Form):
    """Quantity and the prices that the order's type has; empty leaves one as it is."""

    quantity = UnitsField(label="Quantity", min_value=1, max_value=10**9)
    price = FigureField(label="Price", min_value=SMALLEST, max_digits=15, decimal_places=4)
    trigger_price = FigureField(
        label="Trigger price", min_value=SMALLEST, max_digits=15, decimal_places=4
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, order: Order) -> None:
        initial = {
            "quantity": order.quantity,
            "price": _shown(order.price),
            "trigger_price": _shown(order.trigger_price),
        }
        super().__init__(data, initial=initial)
        for name in ("price", "trigger_price"):
            if initial[name] is None:
                del self.fields[name]
        for field in self.fields.values():
            field.widget.attrs.update(inputmode="decimal", autocomplete="off")
        filled = order.filled_quantity
        self.fields["quantity"].help_text = f"{filled} filled already" if filled else ""

    def changes(self) -> OrderChanges:
        return OrderChanges(
            quantity=self.cleaned_data["quantity"],
            price=self.cleaned_data.get("price"),
            trigger_price=self.cleaned_data.get("trigger_price"),
        )

    def refuse(self, errors: dict[str, list[str]]) -> None:
        """Show what the service refused beside its field, or above all of them."""
        for name, words in errors.items():
            for word in words:
                self.add_error(name if name in self.fields else None, word)


def _shown(price: Decimal | None) -> Decimal | None:
    """Drop the zeros behind two decimals: 3084.0000 is typed as 3084.00."""
    if price is None:
        return None
    in_paise = price.quantize(Decimal("0.01"))
    return in_paise if in_paise == price else price.normalize()
