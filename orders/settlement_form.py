"""What a person writes of an expired contract: its final price, or what came of a delivery."""

from decimal import Decimal

from django import forms

from operations.amounts import FigureField

_SMALLEST = Decimal("0.0001")


def _evidence(asked: str) -> forms.CharField:
    return forms.CharField(
        label="Where you read it",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=asked,
    )


class FinalPriceForm(forms.Form):
    """The final settlement price of what the contract is on; of an option not its own price."""

    price = FigureField(
        label="Final settlement price of the underlying",
        min_value=_SMALLEST,
        max_digits=15,
        decimal_places=4,
    )
    evidence = _evidence("Kept for ever: the exchange's page or file, or the contract note.")
    is_sure = forms.BooleanField(
        label="It is right although it is far from what the contracts name", required=False
    )


class DeliveryForm(forms.Form):
    """What came of a delivery."""

    evidence = _evidence("Kept for ever: the demat statement or contract note, and what it says.")
