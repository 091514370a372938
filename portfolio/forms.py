"""Forms for practice money."""

from decimal import Decimal

from django import forms

from operations.amounts import FigureField

LARGEST = Decimal("9999999999")


class PracticeAccountForm(forms.Form):
    name = forms.CharField(label="Name", max_length=50, initial="Practice")
    cash = FigureField(
        label="Money to begin with, ₹",
        initial="10,00,000",
        min_value=Decimal("1000"),
        max_value=LARGEST,
        decimal_places=2,
    )


class PracticeMoneyForm(forms.Form):
    amount = FigureField(
        label="Amount, ₹",
        min_value=-LARGEST,
        max_value=LARGEST,
        decimal_places=2,
        help_text="With a minus in front it is taken out",
    )
