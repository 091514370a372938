from decimal import Decimal

import pytest

from operations.configuration import (
    INITIAL_SETTINGS,
    SettingInvalid,
    UnknownSetting,
    change_setting,
    is_enabled,
    parse_value,
    setting_value,
)
from operations.models import DataType, Setting, SettingChange
from tests.builders import NOW, make_user

pytestmark = pytest.mark.django_db


def make_setting(value: str = "10", **fields: object) -> Setting:
    return Setting.objects.create(
        **{"key": "limit", "value": value, "data_type": DataType.INTEGER, **fields}
    )


class TestParseValue:
    @pytest.mark.parametrize(
        ("text", "data_type"),
        [
            ("ten", DataType.INTEGER),
            ("1.5", DataType.INTEGER),
            ("", DataType.DECIMAL),
            ("NaN", DataType.DECIMAL),
            ("Infinity", DataType.DECIMAL),
            ("maybe", DataType.BOOLEAN),
            ("{", DataType.JSON),
        ],
    )
    def test_refuses_what_is_not_of_the_type(self, text: str, data_type: DataType) -> None:
        with pytest.raises(SettingInvalid, match="is not a value of type"):
            parse_value(text, data_type)

    @pytest.mark.parametrize(
        ("text", "data_type", "value"),
        [
            ("10", DataType.INTEGER, 10),
            ("0.10", DataType.DECIMAL, Decimal("0.10")),
            ("On", DataType.BOOLEAN, True),
            ("false", DataType.BOOLEAN, False),
            ('{"a": [1]}', DataType.JSON, {"a": [1]}),
            (" as it is ", DataType.STRING, " as it is "),
        ],
    )
    def test_reads_the_type(self, text: str, data_type: DataType, value: object) -> None:
        assert parse_value(text, data_type) == value


class TestChangeSetting:
    def test_is_refused_for_a_name_nobody_knows(self) -> None:
        with pytest.raises(UnknownSetting):
            change_setting("nothing", value="1", by=None, now=NOW)

    def test_is_refused_for_a_value_of_another_type(self) -> None:
        make_setting()
        with pytest.raises(SettingInvalid):
            change_setting("limit", value="ten", by=None, now=NOW)
        assert setting_value("limit") == 10

    def test_remembers_every_value_and_who_changed_it(self) -> None:
        make_setting()
        user = make_user()
        for value in ("11", "12"):
            change_setting("limit", value=value, by=user, now=NOW)
        changes = SettingChange.objects.order_by("version")
        assert [(each.version, each.old_value, each.new_value) for each in changes] == [
            (2, "10", "11"),
            (3, "11", "12"),
        ]
        assert {each.changed_by for each in changes} == {user}

    def test_seals_a_secret_and_keeps_it_out_of_the_history(self) -> None:
        make_setting("", data_type=DataType.STRING, is_sensitive=True)
        change_setting("limit", value="canary-51ab", by=None, now=NOW)
        assert setting_value("limit") == "canary-51ab"
        stored = [*Setting.objects.values(), *SettingChange.objects.values()]
        assert "canary-51ab" not in str(stored)


class TestInitialSettings:
    def test_are_the_eleven_of_the_source(self) -> None:
        assert {each.key: parse_value(each.value, each.data_type) for each in INITIAL_SETTINGS} == {
            "schema_version": 3,
            "copy_enabled": True,
            "co_enabled": True,
            "bo_enabled": True,
            "forever_enabled": True,
            "kill_switch_enabled": False,
            "daily_loss_limit_enabled": True,
            "position_size_limit_enabled": True,
            "ws_reconnect_enabled": True,
            "ws_max_reconnect_attempts": 10,
            "postback_enabled": False,
        }

    def test_hold_when_their_row_is_missing(self) -> None:
        Setting.objects.all().delete()
        assert is_enabled("copy_enabled")

    def test_yield_to_what_an_operator_said(self) -> None:
        Setting.objects.update_or_create(
            key="copy_enabled", defaults={"value": "false", "data_type": DataType.BOOLEAN}
        )
        assert not is_enabled("copy_enabled")

    def test_of_another_type_are_not_a_yes_or_no(self) -> None:
        with pytest.raises(SettingInvalid):
            is_enabled("ws_max_reconnect_attempts")
