"""How an amount is typed into a form."""

from collections.abc import Mapping

from django import forms


class AmountInput(forms.TextInput):
    """Takes an amount as an Indian trader types it, 2,50,000, and shows a number pad on a phone."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def value_from_datadict(self, data: Mapping[str, object], files: object, name: str) -> str:
        return str(data.get(name) or "").replace(",", "")
