"""What an operator may change while the system runs: typed, remembered, and sealed where secret."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.db.models import Model

from operations.models import DataType, Setting, SettingChange
from operations.redaction import MASK
from operations.secrets import seal, unseal

_WORDS = {"true": True, "on": True, "yes": True, "1": True} | {
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}


class UnknownSetting(Exception):
    """There is no entry of this name."""


class SettingInvalid(Exception):
    """The text is not a value of the entry's type."""


@dataclass(frozen=True, slots=True)
class InitialSetting:
    key: str
    value: str
    data_type: DataType
    category: str
    description: str


_WHOLE, _YES_NO = DataType.INTEGER, DataType.BOOLEAN
# The entries that source schema 004 says every new installation begins with.
INITIAL_SETTINGS = (
    InitialSetting("schema_version", "3", _WHOLE, "system", "Version of the source schema"),
    InitialSetting("copy_enabled", "true", _YES_NO, "orders", "Copy leaders' orders"),
    InitialSetting("co_enabled", "true", _YES_NO, "orders", "Accept cover orders"),
    InitialSetting("bo_enabled", "true", _YES_NO, "orders", "Accept bracket orders"),
    InitialSetting("forever_enabled", "true", _YES_NO, "orders", "Accept forever orders (GTT)"),
    InitialSetting("kill_switch_enabled", "false", _YES_NO, "risk", "Stop all new entries"),
    InitialSetting("daily_loss_limit_enabled", "true", _YES_NO, "risk", "Judge the daily loss"),
    InitialSetting("position_size_limit_enabled", "true", _YES_NO, "risk", "Judge position size"),
    InitialSetting("ws_reconnect_enabled", "true", _YES_NO, "system", "Reconnect lost streams"),
    InitialSetting("ws_max_reconnect_attempts", "10", _WHOLE, "system", "Then the stream is down"),
    InitialSetting("postback_enabled", "false", _YES_NO, "orders", "Accept brokers' postbacks"),
)
_INITIAL = {each.key: each for each in INITIAL_SETTINGS}


def setting_value(key: str) -> object:
    """Return an entry's value as its type says: bool, int, Decimal, str, or parsed JSON.

    :raises UnknownSetting: when there is no such entry.
    :raises SecretUnreadable: when the entry is sensitive and no key of ours opens it.
    """
    row = Setting.objects.filter(key=key).first()
    if row is not None:
        return parse_value(_plain(row), DataType(row.data_type))
    if key in _INITIAL:
        return parse_value(_INITIAL[key].value, _INITIAL[key].data_type)
    raise UnknownSetting(f"There is no setting {key}")


def is_enabled(key: str) -> bool:
    """Return a yes-or-no entry.

    :raises UnknownSetting: when there is no such entry.
    :raises SettingInvalid: when the entry is of another type.
    """
    value = setting_value(key)
    if not isinstance(value, bool):
        raise SettingInvalid(f"{key} is not a yes-or-no setting")
    return value


@transaction.atomic
def change_setting(key: str, *, value: str, by: Model | None, now: datetime) -> Setting:
    """Give an entry a new value and remember the old one; a secret is remembered as masked.

    :raises UnknownSetting: when there is no such entry.
    :raises SettingInvalid: when the text is not a value of its type.
    """
    row = Setting.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise UnknownSetting(f"There is no setting {key}")
    parse_value(value, DataType(row.data_type))
    old = row.value
    row.value = seal({"value": value}, row=_row_name(key)) if row.is_sensitive else value
    row.version += 1
    row.save(update_fields=["value", "version", "updated_at"])
    SettingChange.objects.create(
        setting=row,
        version=row.version,
        old_value=MASK if row.is_sensitive else old,
        new_value=MASK if row.is_sensitive else value,
        changed_by_id=by.pk if by else None,
        changed_at=now,
    )
    return row


def parse_value(text: str, data_type: DataType) -> object:
    """Read a value from its text.

    :raises SettingInvalid: when it is not one of that type.
    """
    readers: dict[str, Callable[[str], object]] = {
        DataType.STRING: str,
        DataType.INTEGER: int,
        DataType.DECIMAL: _finite_decimal,
        DataType.BOOLEAN: lambda word: _WORDS[word.strip().lower()],
        DataType.JSON: json.loads,
    }
    try:
        return readers[data_type](text)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise SettingInvalid(f"“{text}” is not a value of type {data_type.label}") from error


def _finite_decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _plain(row: Setting) -> str:
    if not row.is_sensitive or not row.value:
        return row.value
    return unseal(row.value, row=_row_name(row.key))["value"]


def _row_name(key: str) -> str:
    return f"config:{key}"
