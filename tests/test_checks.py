"""What the site refuses to start with."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from trading_site.checks import check_dangerous_combinations

FERNET_KEY = Fernet.generate_key().decode()
STRONG_KEY = "".join(chr(ord("0") + number) for number in range(60))
SERVER: dict[str, object] = {
    "DEBUG": False,
    "HTTPS": True,
    "ALLOWED_HOSTS": ["desk.example.com"],
    "SECRET_KEY": STRONG_KEY,
    "SECRET_KEYS": [FERNET_KEY],
    "LIVE_TRADING": True,
    "REDIS_URL": "redis://:password@redis:6379/0",
    "DATABASE_URL": "postgres://pinnacle:password@database/pinnacle",
}


def found(settings: Settings, changes: Mapping[str, object]) -> set[str | None]:
    for name, value in {**SERVER, **changes}.items():
        setattr(settings, name, value)
    return {message.id for message in check_dangerous_combinations(None)}


class TestCheck:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"DEBUG": True, "LIVE_TRADING": False, "ALLOWED_HOSTS": ["localhost"]}, {"E001"}),
            ({"DEBUG": True, "LIVE_TRADING": False, "HTTPS": False}, {"E002"}),
            ({"ALLOWED_HOSTS": ["*"]}, {"E003"}),
            ({"SECRET_KEY": "short"}, {"E004"}),
            ({"SECRET_KEY": "ab" * 40}, {"E004"}),
            ({"SECRET_KEY": FERNET_KEY}, {"E004", "E005"}),
            ({"SECRET_KEYS": []}, {"E006"}),
            ({"SECRET_KEYS": [FERNET_KEY, "no key"]}, {"E007"}),
            ({"DEBUG": True, "HTTPS": False, "ALLOWED_HOSTS": ["localhost"]}, {"E008"}),
            ({"REDIS_URL": ""}, {"E009"}),
            ({"REDIS_URL": "redis://redis:6379/0"}, {"E011"}),
        ],
    )
    def test_refuses_a_dangerous_combination(
        self, settings: Settings, changes: Mapping[str, object], expected: set[str]
    ) -> None:
        assert found(settings, changes) == {f"pinnacle.{number}" for number in expected}

    def test_refuses_several_processes_without_redis(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEB_CONCURRENCY", "4")
        assert found(settings, {"REDIS_URL": "", "DATABASE_URL": "sqlite:///x"}) == {
            "pinnacle.E010"
        }

    def test_is_content_with_a_server(self, settings: Settings) -> None:
        assert found(settings, {}) == set()

    def test_is_content_with_a_laptop(self, settings: Settings) -> None:
        laptop = {
            "DEBUG": True,
            "HTTPS": False,
            "LIVE_TRADING": False,
            "ALLOWED_HOSTS": ["localhost", "127.0.0.1"],
            "REDIS_URL": "",
            "DATABASE_URL": "sqlite:///var/pinnacle.sqlite3",
        }
        assert found(settings, laptop) == set()


class TestDeployedServer:
    def test_passes_every_check_of_the_framework_too(self) -> None:
        environment = {
            **os.environ,
            "DEBUG": "off",
            "HTTPS": "on",
            "ALLOWED_HOSTS": "desk.example.com",
            "SECRET_KEY": STRONG_KEY,
            "SECRET_KEYS": FERNET_KEY,
            "DATABASE_URL": "postgres://pinnacle:password@database/pinnacle",
            "REDIS_URL": "redis://:password@redis:6379/0",
        }
        # Set by the tests themselves, for the browser's loop.
        environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
        check = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            cwd=Path(__file__).parent.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert check.returncode == 0, check.stderr
