"""Each broker has a lane of its own: one that does not answer holds up no other broker's work."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager


class Lanes:
    """Lets so many in at one broker at once, within this process; the others are called later.

    Who finds the lane full gives its thread back: as somebody leaves, the next one is nudged. A
    nudge that is lost, or a process that dies, loses the wait and not the work: a sweep nudges
    again whatever still waits.
    """

    def __init__(self, *, width: int) -> None:
        self._width = width
        self._guard = threading.Lock()
        self._inside: Counter[str] = Counter()
        self._urgent: dict[str, dict[Hashable, Callable[[], None]]] = defaultdict(dict)
        self._patient: dict[str, dict[Hashable, Callable[[], None]]] = defaultdict(dict)

    @contextmanager
    def turn(
        self, broker: str, key: Hashable, nudge: Callable[[], None], *, is_urgent: bool = False
    ) -> Iterator[bool]:
        """Tell whether there is room. If not, ``nudge`` is called once, when it is ``key``'s turn.

        The urgent ones are called before the others, and each kind in the order in which it came.
        """
        if not self._enter(broker, key, nudge, is_urgent):
            yield False
            return
        try:
            yield True
        finally:
            call = self._leave(broker)
            if call is not None:
                call()

    def _enter(
        self, broker: str, key: Hashable, nudge: Callable[[], None], is_urgent: bool
    ) -> bool:
        with self._guard:
            has_room = self._inside[broker] < self._width
            if has_room:
                self._inside[broker] += 1
                self._urgent[broker].pop(key, None)
                self._patient[broker].pop(key, None)
            else:
                (self._urgent if is_urgent else self._patient)[broker].setdefault(key, nudge)
            return has_room

    def _leave(self, broker: str) -> Callable[[], None] | None:
        with self._guard:
            self._inside[broker] -= 1
            waiting = self._urgent[broker] or self._patient[broker]
            return waiting.pop(next(iter(waiting))) if waiting else None
