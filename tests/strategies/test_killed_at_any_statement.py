"""Killed before any statement and started again, each candle still gives one signal, one order."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from brokers.gateway import QuoteTick
from market.models import Instrument
from market.quotes import write_quotes
from orders.models import Order
from strategies.models import CandleEvaluation, Signal, SignalStatus, UserStrategy
from strategies.services import evaluate_candle, place_signal_orders
from tests.builders import make_instrument
from tests.strategies.bars import FIVE_MINUTES, OPENING
from tests.strategies.desk import make_activation, make_paper_account, store

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]
WORK_IS_DONE = 0
STATEMENTS = 120  # more than the work has, so that the last runs are not killed


class KilledBefore:
    """Ends the process, as a power cut would, before the n-th statement it is asked to run."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, execute: Callable[..., Any], *call: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*call)


@pytest.fixture
def shared_database(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """What a child calls to work on a database that outlives it."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        path = tmp_path / "killed.sqlite3"
        with sqlite3.connect(path) as copy:
            connection.connection.backup(copy)
        copy.close()

    def enter() -> None:
        # The parent's connection is not the child's to use, nor to close.
        connection.connection = None
        if connection.vendor == "sqlite":
            connection.settings_dict["NAME"] = str(path)
        else:
            connection.settings_dict["OPTIONS"].pop("pool", None)

    yield enter


def run_in_child(enter: Callable[[], None], work: Callable[[], object]) -> int:
    """Do the work in a forked process; answer its exit code, negative when it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            enter()
            work()
            code = WORK_IS_DONE
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def killed_before(number: int) -> Iterator[None]:
    with connection.execute_wrapper(KilledBefore(number)):
        yield


def judge_and_order(activation: UserStrategy, instrument: Instrument, now: datetime) -> None:
    """What a worker does when a candle closes, and does again when it is started anew."""
    evaluate_candle(activation, instrument=instrument, candle_at=OPENING, now=now)
    place_signal_orders(now)


def assert_all_happened_once(instrument: Instrument) -> None:
    assert CandleEvaluation.objects.filter(instrument=instrument).count() == 1
    signal_ = Signal.objects.get(instrument=instrument)
    assert signal_.status == SignalStatus.ORDERED
    assert signal_.order == Order.objects.get(instrument=instrument)


class TestKilledWorker:
    def test_loses_and_repeats_nothing(self, request) -> None:
        """One share for each place to be killed at, all of them on one desk."""
        now = OPENING + FIVE_MINUTES
        account = make_paper_account(now=now)
        instruments = [make_instrument(f"NSE:SHARE{number}") for number in range(STATEMENTS)]
        activation = make_activation(
            *instruments, account=account, allocation_amount=Decimal(200) * STATEMENTS
        )
        for instrument in instruments:
            store(instrument, 101)
        write_quotes([QuoteTick(each.key, Decimal(101), now, 1000) for each in instruments])
        enter = request.getfixturevalue("shared_database")

        killed = 0
        for number, instrument in enumerate(instruments, start=1):

            def work(number: int = number, instrument: Instrument = instrument) -> None:
                with killed_before(number):
                    judge_and_order(activation, instrument, now)

            def again(instrument: Instrument = instrument) -> None:
                judge_and_order(activation, instrument, now)
                assert_all_happened_once(instrument)

            killed += run_in_child(enter, work) == -signal.SIGKILL
            assert run_in_child(enter, again) == WORK_IS_DONE, f"killed before statement {number}"
        assert killed > 20
        assert killed < STATEMENTS, "the work has more statements than were tried"
