"""The forms of what only a person can settle: an order of a past day, a doubted difference."""

from collections.abc import Mapping
from decimal import Decimal

from django import forms

from operations.amounts import FigureField, UnitsField
from orders.services.deciding import Ending, Verdict, WrittenTrade
from portfolio.models import PositionDifference

ENDINGS = [
    (Ending.NEVER_ARRIVED.value, "It never reached the broker"),
    (Ending.UNFILLED.value, "It was there and ended without a fill"),
    (Ending.FILLED.value, "It was filled, whole or in part"),
]
# What each ending does here, said beside it before anything is done.
CONSEQUENCES = {
    Ending.NEVER_ARRIVED.value: "It becomes refused, and the money held for it is free again.",
    Ending.UNFILLED.value: "It becomes cancelled, and the money held for it is free again.",
    Ending.FILLED.value: "Its trades are booked once, with charges, and change your position.",
}
_SMALLEST = Decimal("0.0001")
_QUANTITY = UnitsField(min_value=1, max_value=10**9)
_PRICE = FigureField(min_value=_SMALLEST, max_digits=15, decimal_places=4)


class SettleForm(forms.Form):
    """What a person has read at the broker of one order."""

    ending = forms.ChoiceField(
        label="What became of it",
        choices=ENDINGS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what became of it"},
    )
    broker_order_id = forms.CharField(
        label="Broker's order number",
        max_length=40,
        required=False,
        help_text="Not for an order that never arrived.",
    )
    trades = forms.CharField(
        label="Trades",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "75012345 10 100.25"}),
        help_text="Of a filled order. One a line: trade number, quantity, price.",
    )
    evidence = forms.CharField(
        label="Where you read it",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept for ever with the order: contract note and its number, the broker's "
        "order book, or whom you asked there.",
    )

    def clean_trades(self) -> tuple[WrittenTrade, ...]:
        lines = str(self.cleaned_data["trades"]).splitlines()
        return tuple(written_trade(line.split()) for line in lines if line.strip())

    def verdict(self) -> Verdict:
        """Say what was read; only after ``is_valid``."""
        given = self.cleaned_data
        return Verdict(
            ending=Ending(given["ending"]),
            evidence=given["evidence"],
            broker_order_id=given["broker_order_id"],
            trades=given["trades"],
        )

    @property
    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Value, words, what it does, and whether it is chosen."""
        chosen = self["ending"].value()
        return [(value, words, CONSEQUENCES[value], value == chosen) for value, words in ENDINGS]

    @property
    def consequence(self) -> str:
        """What the chosen ending does; only after ``is_valid``."""
        return CONSEQUENCES[self.cleaned_data["ending"]]

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        for name, complaints in errors.items():
            for complaint in complaints:
                self.add_error(name if name in self.fields else None, complaint)


class AcceptForm(forms.Form):
    """The reason, and the figures that the page showed when it was written."""

    reason = forms.CharField(
        label="Why the broker's figure is right",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept for ever with the adjustment.",
    )
    ours = forms.IntegerField(widget=forms.HiddenInput)
    theirs = forms.IntegerField(widget=forms.HiddenInput)

    def show(self, row: PositionDifference) -> None:
        """Carry the figures of now, whatever was sent."""
        self.data = {**self.data.dict(), "ours": row.ours, "theirs": row.theirs}  # type: ignore[attr-defined]


def written_trade(parts: list[str]) -> WrittenTrade:
    """:raises ValidationError: when they are not a number, a quantity and a price."""
    if len(parts) != 3 or len(parts[0]) > 40:
        raise forms.ValidationError("One trade a line: trade number, quantity, price")
    quantity, price = _QUANTITY.clean(parts[1]), _PRICE.clean(parts[2])
    if quantity is None or price is None:
        raise forms.ValidationError("Each trade needs a quantity and a price")
    return WrittenTrade(parts[0], quantity, price)
