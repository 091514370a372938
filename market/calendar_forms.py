"""The form of a day that differs from the calendar. It parses; the service refuses."""

from datetime import time
from typing import Any

from django import forms

from brokers.terms import Exchange
from market.overriding import OverrideRefused, ScheduleTerms, exchanges_with_calendar

CLOSED, OPEN = "closed", "open"
KINDS = ((OPEN, "Open, at these hours"), (CLOSED, "Closed all day"))


def _hour(label: str, help_text: str = "") -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        help_text=help_text,
        input_formats=["%H:%M"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )


class OverrideForm(forms.Form):
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    exchanges = forms.MultipleChoiceField(
        label="Exchanges",
        choices=[(name, name) for name in exchanges_with_calendar()],
        initial=[Exchange.NSE, Exchange.BSE],
        widget=forms.CheckboxSelectMultiple,
        help_text="NFO follows NSE, and BFO follows BSE, unless chosen for itself",
    )
    kind = forms.ChoiceField(label="It is", choices=KINDS, initial=OPEN, widget=forms.RadioSelect)
    opens_at = _hour("Opens at", "Empty: as usual")
    closes_at = _hour("Closes at", "Empty: as usual")
    second_opens_at = _hour("Opens again at", "Where there is a second session")
    second_closes_at = _hour("Closes again at")
    reason = forms.CharField(
        label="Reason", max_length=200, help_text="As the exchange's circular calls it"
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        hours = [cleaned.get(name) for name in ("opens_at", "closes_at", *_SECOND)]
        if cleaned.get("kind") == CLOSED and any(hours):
            self.add_error("kind", "A day that is closed has no hours")
        if (hours[2] is None) != (hours[3] is None):
            missing = _SECOND[0] if hours[2] is None else _SECOND[1]
            self.add_error(missing, "A second session has both hours")
        return cleaned

    def terms(self) -> ScheduleTerms:
        told = self.cleaned_data
        return ScheduleTerms(
            day=told["day"],
            reason=told["reason"],
            is_open=told["kind"] == OPEN,
            opens_at=told["opens_at"],
            closes_at=told["closes_at"],
            second=_pair(told[_SECOND[0]], told[_SECOND[1]]),
        )

    def refuse(self, refusal: OverrideRefused) -> None:
        self.add_error(refusal.field, str(refusal))


_SECOND = ("second_opens_at", "second_closes_at")


def _pair(opens: time | None, closes: time | None) -> tuple[time, time] | None:
    return (opens, closes) if opens is not None and closes is not None else None
