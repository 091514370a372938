"""How an amount is typed into a form."""

import re
from collections.abc import Mapping
from decimal import Decimal

from django import forms

# Python reads 1_0, 1e2 and १० as numbers too; nobody who means an order types them.
PLAIN_FIGURE = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3})?(?:\.[0-9]*)?")
SPACES = str.maketrans("", "", "₹ \u00a0")


class AmountInput(forms.TextInput):
    """Takes an amount as an Indian trader types it, 2,50,000, and shows a number pad on a phone."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def value_from_datadict(self, data: Mapping[str, object], files: object, name: str) -> str:
        return str(data.get(name) or "").replace(",", "")


class FigureField(forms.DecimalField):
    """A price as people write it: 1,412.60 or ₹1412.6."""

    widget = forms.TextInput

    def clean(self, value: object) -> Decimal | None:
        figure: Decimal | None = super().clean(_bare(value, "Write it in digits, as 1,412.60"))
        return figure


class UnitsField(forms.IntegerField):
    """A number of shares or contracts as people write it: 1,50,000."""

    widget = forms.TextInput

    def clean(self, value: object) -> int | None:
        units: int | None = super().clean(_bare(value, "Write it in digits, as 1,50,000"))
        return units


def _bare(value: object, words: str) -> object:
    if not isinstance(value, str):
        return value
    typed = value.strip().translate(SPACES)
    if not PLAIN_FIGURE.fullmatch(typed):
        raise forms.ValidationError(words, code="invalid")
    return typed.replace(",", "")
