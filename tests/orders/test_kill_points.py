import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from orders.states import OrderStatus

PROGRAM = Path(__file__).with_name("kill_points.py")
SETTLED = {status.value for status in OrderStatus} - {"PENDING", "SUBMITTING", "UNKNOWN"}


@pytest.fixture(scope="module")
def own_database(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: pytest.FixtureRequest
) -> Iterator[str]:
    """A database that other processes can open: the tests' own may live in memory."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('kills') / 'pinnacle.sqlite3'}"
        return
    name = f"pinnacle_kills_{os.getpid()}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        _execute(f"CREATE DATABASE {name}")
        yield settings.DATABASE_URL.rsplit("/", 1)[0] + f"/{name}"
        _execute(f"DROP DATABASE {name} WITH (FORCE)")


def _execute(statement: str) -> None:
    """Run a statement on a connection of its own: the tests between close theirs."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.fixture(scope="module")
def kills(own_database: str) -> list[dict[str, object]]:
    environment = {**os.environ, "DATABASE_URL": own_database, "PYTHONPATH": str(settings.BASE_DIR)}
    environment["DJANGO_SETTINGS_MODULE"] = "trading_site.settings"
    run = subprocess.run(
        [sys.executable, str(PROGRAM)], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.django_db
class TestAWorkerKilledAtAnyStatement:
    def test_was_killed_at_every_one_of_them(self, kills: list[dict[str, object]]) -> None:
        for work in ("send", "hear of fills"):
            mine = [kill for kill in kills if kill["work"] == work]
            assert sum(not kill["killed"] for kill in mine) == 2
            assert len(mine) > 20

    def test_never_leaves_two_orders_for_one(self, kills: list[dict[str, object]]) -> None:
        assert [kill for kill in kills if kill["at_broker"] not in (0, 1)] == []

    def test_never_leaves_an_order_in_silence(self, kills: list[dict[str, object]]) -> None:
        assert [kill for kill in kills if kill["status"] not in SETTLED] == []

    def test_never_loses_or_doubles_a_fill(self, kills: list[dict[str, object]]) -> None:
        differing = [kill for kill in kills if kill["filled_here"] != kill["filled_at_broker"]]
        assert differing == []

    def test_never_leaves_the_books_apart_from_the_brokers(
        self, kills: list[dict[str, object]]
    ) -> None:
        assert [kill for kill in kills if not kill["agrees"]] == []
