"""Forms of the import pages."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from market.importing.dates import DateOrder
from market.models import ImportKind, ImportRun, ImportStatus, Interval
from operations.listing import ListFilter

COLUMNS = (
    ("at", "Date or time"),
    ("open", "Open"),
    ("high", "High"),
    ("low", "Low"),
    ("close", "Close"),
    ("volume", "Volume"),
    ("symbol", "Symbol"),
)
PREFIX = "column_"


class ImportFilter(ListFilter):
    status = forms.ChoiceField(label="State", choices=[("", "Any state"), *ImportStatus.choices])
    kind = forms.ChoiceField(label="Kind", choices=[("", "Any kind"), *ImportKind.choices])

    def narrow(self, runs: QuerySet[ImportRun]) -> QuerySet[ImportRun]:
        return runs.filter(**self.chosen())


class ImportForm(forms.Form):
    """A file, and what may be said of it; what is left empty is told by the file itself."""

    file = forms.FileField(label="File", help_text="CSV or JSON, at most 200 MB")
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Tell by the file itself"), *ImportKind.choices],
    )
    symbol = forms.CharField(
        label="Instrument",
        required=False,
        max_length=60,
        help_text="Where the file names none: NSE:INFY. Empty: the file's own name",
    )
    interval = forms.ChoiceField(
        label="Candles", required=False, choices=[("", "As in the file"), *Interval.choices]
    )
    dates = forms.ChoiceField(
        label="Dates such as 01/02/2024",
        required=False,
        choices=[("", "Tell by the file, or ask"), *DateOrder.choices],
    )
    day = forms.DateField(
        label="Trading day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="For a bhavcopy whose name has no date",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in COLUMNS:
            self.fields[PREFIX + name] = forms.CharField(
                label=f"{label}, its column", required=False, max_length=60
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[PREFIX + name] for name, _ in COLUMNS]

    def options(self) -> dict[str, object]:
        """Return what was said of the file, as the importers take it."""
        data = self.cleaned_data
        said: dict[str, object] = {
            name: data[name] for name in ("symbol", "interval", "dates") if data[name]
        }
        if data["day"]:
            said["day"] = data["day"].isoformat()
        columns = {name: data[PREFIX + name] for name, _ in COLUMNS if data[PREFIX + name]}
        if columns:
            said["columns"] = columns
        return said
