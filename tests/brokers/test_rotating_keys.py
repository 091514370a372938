"""Secrets move under the newest key, and none is lost on the way."""

import json
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from pytest_django import Settings

from brokers.models import AuthToken, BrokerConnection
from brokers.resealing import SEALED_COLUMNS, SealedColumn, reseal_everything
from operations.secrets import SecretUnreadable, seal
from tests.brokers.paper import make_paper_account

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = {"api_key": "k", "pin": "1234"}


@pytest.fixture
def connection(settings: Settings) -> BrokerConnection:
    settings.SECRET_KEYS = [OLD]
    connection = make_paper_account().connection
    connection.seal_credentials(SECRET)
    connection.save()
    return connection


class TestRotateKeys:
    def test_a_secret_no_key_opens_is_named(
        self, connection: BrokerConnection, settings: Settings
    ) -> None:
        settings.SECRET_KEYS = [NEW]
        with pytest.raises(CommandError, match=str(connection.pk)):
            call_command("rotate_keys", stdout=StringIO())

    def test_a_secret_no_key_opens_is_left_as_it_was(
        self, connection: BrokerConnection, settings: Settings
    ) -> None:
        settings.SECRET_KEYS = [NEW]
        reseal_everything()
        settings.SECRET_KEYS = [OLD]
        connection.refresh_from_db()
        assert connection.read_credentials() == SECRET

    def test_the_old_key_can_be_thrown_away_afterwards(
        self, connection: BrokerConnection, settings: Settings
    ) -> None:
        settings.SECRET_KEYS = [NEW, OLD]
        call_command("rotate_keys", stdout=StringIO())
        settings.SECRET_KEYS = [NEW]
        connection.refresh_from_db()
        assert connection.read_credentials() == SECRET

    def test_the_old_key_opens_it_no_more(
        self, connection: BrokerConnection, settings: Settings
    ) -> None:
        settings.SECRET_KEYS = [NEW, OLD]
        reseal_everything()
        settings.SECRET_KEYS = [OLD]
        connection.refresh_from_db()
        with pytest.raises(SecretUnreadable):
            connection.read_credentials()

    def test_it_counts_the_secrets(self, connection: BrokerConnection, settings: Settings) -> None:
        AuthToken.objects.create(connection=connection, access_token=seal(SECRET, row="x"))
        settings.SECRET_KEYS = [NEW, OLD]
        assert reseal_everything().count == 2

    def test_running_twice_changes_no_content(
        self, connection: BrokerConnection, settings: Settings
    ) -> None:
        settings.SECRET_KEYS = [NEW, OLD]
        reseal_everything()
        reseal_everything()
        connection.refresh_from_db()
        assert connection.read_credentials() == SECRET

    def test_every_sealed_column_is_known(self) -> None:
        marked = {
            (model._meta.label, column.name)
            for model in apps.get_models()
            for column in model._meta.get_fields()
            if str(getattr(column, "help_text", "")).startswith("Sealed")
        }
        known = {(each.model, each.column) for each in SEALED_COLUMNS if not each.only}
        assert marked == known

    def test_a_row_that_is_not_sealed_is_not_touched(self) -> None:
        setting = apps.get_model("operations.Setting")
        setting.objects.create(key="plain", value=json.dumps("open"), is_sensitive=False)
        reseal_everything()
        assert SealedColumn("operations.Setting", "value", {"is_sensitive": True}) in SEALED_COLUMNS
        assert setting.objects.get(key="plain").value == '"open"'
