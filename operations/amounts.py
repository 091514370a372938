"""How an amount is typed into a form."""

import re
from decimal import Decimal

from django import forms

# Python reads 1_0, 1e2 and १० as numbers too; nobody who means an order types them.
PLAIN_FIGURE = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3})?(?:\.[0-9]*)?")
SPACES = str.maketrans("", "", "₹ \u00a0")


class AmountInput(forms.TextInput):
    """Shows a number pad on a phone."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})


class FigureField(forms.DecimalField):
    """A price or an amount as people write it: 1,412.60, ₹1412.6 or 2,50,000."""

    widget = AmountInput

    def clean(self, value: object) -> Decimal | None:
        figure: Decimal | None = super().clean(_bare(value, "Write it in digits, as 1,412.60"))
        return figure


class UnitsField(forms.IntegerField):
    """A number of shares or contracts as people write it: 1,50,000."""

    widget = forms.TextInput

    def clean(self, value: object) -> int | None:
        units: int | None = super().clean(_bare(value, "Write it in digits, as 1,50,000"))
        return units


class FigureTextField(forms.CharField):
    """A figure whose kind the form does not know: checked for how it is written, kept as text."""

    widget = AmountInput

    def clean(self, value: object) -> str:
        figure: str = super().clean(_bare(value, "Write it in digits, as 1,412.60"))
        return figure


def _bare(value: object, words: str) -> object:
    if not isinstance(value, str):
        return value
    typed = value.strip().translate(SPACES)
    if not PLAIN_FIGURE.fullmatch(typed):
        raise forms.ValidationError(words, code="invalid")
    return typed.replace(",", "")
