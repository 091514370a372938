"""Forms for practice money."""

from decimal import Decimal

from django import forms

from operations.amounts import AmountInput

LARGEST = Decimal("9999999999")


class PracticeAccountForm(forms.Form):
    name = forms.CharField(label="Name", max_length=50, initial="Practice")
    cash = forms.DecimalField(
        label="Money to begin with, ₹",
        initial="10,00,000",
        min_value=Decimal("1000"),
        max_value=LARGEST,
        decimal_places=2,
        widget=AmountInput,
    )


class PracticeMoneyForm(forms.Form):
    amount = forms.DecimalField(
        label="Amount, ₹",
        min_value=-LARGEST,
        max_value=LARGEST,
        decimal_places=2,
        widget=AmountInput,
        help_text="With a minus in front it is taken out",
    )
