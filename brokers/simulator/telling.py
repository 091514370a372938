"""Tells listeners what happened: outside the broker's lock, one event at a time, in order."""

import threading
from collections import deque
from collections.abc import Callable

from brokers.simulator.records import SimEvent

Listener = Callable[[SimEvent], None]


class Teller:
    """A queue of events; whoever caused them tells them, and waits until they are told."""

    def __init__(self) -> None:
        self.queue: deque[SimEvent] = deque()
        self._listeners: list[Listener] = []
        self._telling = threading.RLock()
        self._is_telling = False

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; call what is returned to take it off again, once or more often."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def tell(self) -> None:
        with self._telling:
            if self._is_telling:
                return  # A listener called the broker: the round that told it goes on.
            self._is_telling = True
            try:
                while self.queue:
                    event = self.queue.popleft()
                    for listener in tuple(self._listeners):
                        listener(event)
            finally:
                self._is_telling = False
