"""What people type to connect a broker. A secret is never written back into a page."""

import ipaddress
from collections.abc import Mapping

from django import forms

from brokers.logins import CredentialField, Guide

_PREFIX = "field_"
_LONGEST = 4000


class CredentialsForm(forms.Form):
    """One field for each line of the broker's guide."""

    def __init__(self, *args: object, guide: Guide, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments
        for each in guide.fields:
            self.fields[_PREFIX + each.name] = _field_of(each)

    @property
    def credentials(self) -> dict[str, str]:
        """What was typed, under the adapter's names, without what was left empty."""
        typed = {
            name.removeprefix(_PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(_PREFIX)
        }
        return {name: value for name, value in typed.items() if value}


class ConnectForm(CredentialsForm):
    alias = forms.CharField(
        label="Name", max_length=50, help_text="Yours for this connection and its account"
    )


class TokenForm(forms.Form):
    token = forms.CharField(
        label="Today's token",
        max_length=_LONGEST,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
    )


class AddressForm(forms.Form):
    static_ip = forms.CharField(
        label="Registered address",
        required=False,
        help_text="What the broker knows this server by; empty where it wants none",
    )
    egress = forms.CharField(
        label="Local address to leave by",
        required=False,
        help_text="Only where this machine has several",
    )

    def clean_static_ip(self) -> str:
        return _address(self.cleaned_data["static_ip"])

    def clean_egress(self) -> str:
        return _address(self.cleaned_data["egress"])


def shown_credentials(guide: Guide, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return what may be shown again, under the form's names: nothing that is secret."""
    return {
        _PREFIX + each.name: credentials.get(each.name, "")
        for each in guide.fields
        if not each.is_secret
    }


def _field_of(each: CredentialField) -> forms.CharField:
    attrs = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
    widget = (
        forms.PasswordInput(render_value=False, attrs={**attrs, "autocomplete": "new-password"})
        if each.is_secret
        else forms.TextInput(attrs=attrs)
    )
    return forms.CharField(
        label=each.label,
        help_text=each.help_text,
        required=each.is_required,
        max_length=_LONGEST,
        widget=widget,
    )


def _address(typed: str) -> str:
    if not typed:
        return ""
    try:
        return str(ipaddress.ip_address(typed))
    except ValueError as error:
        raise forms.ValidationError("Write an address such as 203.0.113.44") from error
