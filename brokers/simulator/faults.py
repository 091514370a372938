"""Named faults that a test or a demo arms: what a real broker does to one on a bad day.

Two kinds. A *shot* is taken so many times and then spent; a *condition* holds, for so many
seconds or until it is cleared. Who looks at which:

* the wire (any endpoint, ``match`` is a path with wildcards, or "POST /orders*"): delay (the
  request is carried out and answered late), drop_reply (carried out, never answered),
  rate_limited, server_error_before, server_error_after, truncated_json, html_200,
  expired_token, wrong_ip;
* the exchange (``match`` is place, cancel, orders, trades, positions, holdings or tick):
  rms_in_book, surfaces_late, fill_before_order, many_fills, cancel_loses_to_fill, empty_book,
  partial_book, stale_feed;
* the streams (``match`` is the stream's name): duplicate_frames, reordered_frames,
  silent_stream, half_open.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultName(StrEnum):
    DELAY = "delay"
    DROP_REPLY = "drop_reply"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR_AFTER = "server_error_after"
    SERVER_ERROR_BEFORE = "server_error_before"
    TRUNCATED_JSON = "truncated_json"
    HTML_200 = "html_200"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    WRONG_IP = "wrong_ip"
    RMS_IN_BOOK = "rms_in_book"
    SURFACES_LATE = "surfaces_late"
    FILL_BEFORE_ORDER = "fill_before_order"
    MANY_FILLS = "many_fills"
    CANCEL_LOSES_TO_FILL = "cancel_loses_to_fill"
    EMPTY_BOOK = "empty_book"
    PARTIAL_BOOK = "partial_book"
    STALE_FEED = "stale_feed"
    DUPLICATE_FRAMES = "duplicate_frames"
    REORDERED_FRAMES = "reordered_frames"
    SILENT_STREAM = "silent_stream"
    HALF_OPEN = "half_open"


CONDITIONS = frozenset(
    {
        FaultName.EXPIRED_TOKEN,
        FaultName.WRONG_IP,
        FaultName.STALE_FEED,
        FaultName.SILENT_STREAM,
        FaultName.HALF_OPEN,
    }
)
SURFACES_AFTER_SECONDS = 83.0


class UnknownFault(Exception):
    """No fault has that name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One armed fault. ``seconds`` is how long it delays, hides or holds; ``amount`` counts fills
    for many_fills and is the HTTP status for a server error."""

    name: FaultName
    times: int | None = 1
    match: str = "*"
    seconds: float | None = None
    amount: int | None = None


class Faults:
    """The faults armed at one simulator; any thread may arm, take and clear."""

    def __init__(self, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._armed: list[tuple[Fault, float]] = []
        self._elapsed = elapsed
        self._released = threading.Event()

    def arm(
        self,
        name: str,
        times: int | None = None,
        match: str = "*",
        seconds: float | None = None,
        amount: int | None = None,
    ) -> Fault:
        """Arm a fault: a shot once unless told otherwise, a condition until it is cleared.

        :raises UnknownFault: naming those there are.
        """
        try:
            kind = FaultName(name)
        except ValueError:
            known = ", ".join(FaultName)
            raise UnknownFault(f"There is no fault {name}: choose one of {known}") from None
        shots = times if times is not None or kind in CONDITIONS else 1
        fault = Fault(kind, shots, match, seconds, amount)
        with self._lock:
            self._armed.append((fault, self._elapsed()))
        return fault

    def take(self, name: str, path: str = "*", *, method: str = "") -> Fault | None:
        """Return a fault that applies and use up one of its times, None where none does."""
        return self._find(name, path, method, spends=True)

    def is_on(self, name: str, path: str = "*", *, method: str = "") -> bool:
        """Tell whether a fault applies, without using it up."""
        return self._find(name, path, method, spends=False) is not None

    def clear(self, name: str | None = None) -> None:
        """Disarm all faults, or those of one name."""
        with self._lock:
            kept = [] if name is None else [e for e in self._armed if e[0].name != name]
            self._armed = kept

    def armed(self) -> list[dict[str, object]]:
        """Return what is armed, as the control API shows it."""
        with self._lock:
            return [asdict(fault) for fault, _ in self._armed]

    def release(self) -> None:
        """Let every delayed answer go now: the simulator is stopping."""
        self._released.set()

    def hold(self) -> None:
        """Let delays last again: the simulator is starting."""
        self._released.clear()

    @property
    def is_released(self) -> bool:
        return self._released.is_set()

    def _find(self, name: str, path: str, method: str, *, spends: bool) -> Fault | None:
        with self._lock:
            now = self._elapsed()
            self._armed = [each for each in self._armed if not _is_over(*each, now=now)]
            for index, (fault, _) in enumerate(self._armed):
                if fault.name == name and _applies(fault, path, method):
                    if spends and fault.times is not None:
                        self._spend(index)
                    return fault
        return None

    def _spend(self, index: int) -> None:
        fault, since = self._armed[index]
        left = (fault.times or 0) - 1
        if left > 0:
            spent = Fault(fault.name, left, fault.match, fault.seconds, fault.amount)
            self._armed[index] = (spent, since)
        else:
            del self._armed[index]


def _applies(fault: Fault, path: str, method: str) -> bool:
    if path == "*":
        return True
    return fnmatchcase(path, fault.match) or fnmatchcase(f"{method} {path}", fault.match)


def _is_over(fault: Fault, since: float, *, now: float) -> bool:
    is_timed = fault.name in CONDITIONS and fault.seconds is not None
    return is_timed and now - since >= (fault.seconds or 0)
