"""So many at one broker at once, and whoever waits is called when it is their turn."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from orders.lanes import Lanes


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def ask(called: list[str]) -> Callable[..., bool]:
    """Ask for a turn that is over at once."""
    lanes = Lanes(width=1)

    def asked(
        key: str, *, broker: str = "kite", is_urgent: bool = False, stay: ExitStack | None = None
    ) -> bool:
        turn = lanes.turn(broker, key, lambda: called.append(key), is_urgent=is_urgent)
        if stay is not None:
            return stay.enter_context(turn)
        with turn as has_room:
            return has_room

    return asked


class TestALane:
    def test_that_is_full_lets_nobody_in(self, ask: Callable[..., bool]) -> None:
        with ExitStack() as stay:
            assert ask("first", stay=stay)
            assert not ask("second")

    def test_that_is_full_holds_up_no_other_broker(self, ask: Callable[..., bool]) -> None:
        with ExitStack() as stay:
            ask("first", stay=stay)
            assert ask("second", broker="angel")

    def test_has_room_again_when_somebody_leaves(self, ask: Callable[..., bool]) -> None:
        ask("first")
        assert ask("second")

    def test_has_room_again_when_somebody_fails(self) -> None:
        lanes = Lanes(width=1)
        with pytest.raises(ArithmeticError), lanes.turn("kite", "first", lambda: None):
            raise ArithmeticError
        with lanes.turn("kite", "second", lambda: None) as has_room:
            assert has_room


class TestWhoWaits:
    def test_is_called_when_somebody_leaves_and_only_one_of_them(
        self, ask: Callable[..., bool], called: list[str]
    ) -> None:
        with ExitStack() as stay:
            ask("first", stay=stay)
            ask("second")
            ask("third")
        assert called == ["second"]

    def test_is_called_once_however_often_it_has_asked(
        self, ask: Callable[..., bool], called: list[str]
    ) -> None:
        with ExitStack() as stay:
            ask("first", stay=stay)
            ask("second")
            ask("second")
        ask("third")
        assert called == ["second"]

    def test_is_called_before_those_that_came_earlier_when_it_is_urgent(
        self, ask: Callable[..., bool], called: list[str]
    ) -> None:
        with ExitStack() as stay:
            ask("first", stay=stay)
            ask("an entry")
            ask("an exit", is_urgent=True)
        assert called == ["an exit"]

    def test_is_not_called_after_it_has_had_its_turn(
        self, ask: Callable[..., bool], called: list[str]
    ) -> None:
        with ExitStack() as stay:
            ask("first", stay=stay)
            ask("second")
            ask("third")
        ask("third")
        assert called == ["second"]
