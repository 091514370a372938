"""What people type to connect a broker. A secret is never written back into a page."""

import ipaddress
from collections.abc import Mapping

from django import forms

from brokers.codes import SetupKeyInvalid, check_setup_key
from brokers.logins import CredentialField, Guide

_PREFIX = "field_"
_FORGET = "forget_"
_LONGEST = 4000


class CredentialsForm(forms.Form):
    """One field for each line of the broker's guide.

    ``kept`` are secrets that are here already: left empty, such a field keeps its own.
    """

    def __init__(
        self, *args: object, guide: Guide, kept: Mapping[str, str] | None = None, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments
        self.guide = guide
        secret = {each.name for each in guide.fields if each.is_secret}
        self.kept = {name: text for name, text in (kept or {}).items() if name in secret and text}
        for each in guide.fields:
            self.fields[_PREFIX + each.name] = _field_of(each)
            if each.name in self.kept:
                self._say_kept(each)
            if each.name in self.kept and not each.is_required:
                forget = forms.BooleanField(label=f"Forget the {each.label}", required=False)
                self.fields[_FORGET + each.name] = forget

    @property
    def credentials(self) -> dict[str, str]:
        """What was typed or kept, under the adapter's names, without what was left empty.

        Of a form with errors: what of it was sound.
        """
        given = self.cleaned_data
        names = [each.name for each in self.guide.fields]
        typed = {name: given.get(_PREFIX + name) for name in names}
        kept = {name: text for name, text in self.kept.items() if not given.get(_FORGET + name)}
        found = {name: typed[name] or kept.get(name, "") for name in names}
        return {name: text for name, text in found.items() if text}

    def keep_sound(self) -> dict[str, str]:
        """Ask no more for the secrets of a refused form that were sound, and return them."""
        for each in self.guide.fields:
            if each.is_secret and each.name in self.credentials:
                self.kept[each.name] = self.credentials[each.name]
                self._say_kept(each)
        return self.kept

    def _say_kept(self, each: CredentialField) -> None:
        shown = self[_PREFIX + each.name]
        shown.field.required = False
        shown.help_text = "Kept as it was typed, and not shown. Left empty it stays."


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
        validators=[_check_setup_key] if each.is_setup_key else [],
    )


def _check_setup_key(typed: str) -> None:
    try:
        check_setup_key(typed)
    except SetupKeyInvalid as error:
        raise forms.ValidationError(str(error)) from error


def _address(typed: str) -> str:
    if not typed:
        return ""
    try:
        return str(ipaddress.ip_address(typed))
    except ValueError as error:
        raise forms.ValidationError("Write an address such as 203.0.113.44") from error
