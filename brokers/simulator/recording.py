"""The requests a simulator was sent, for tests and the control API to read."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_MOST = 5_000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it came; header names are lower case. ``query`` is undecoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class RequestLog:
    """The latest requests, oldest first; the control API's own are not noted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []

    def add(self, request: RecordedRequest) -> None:
        with self._lock:
            self._requests.append(request)
            del self._requests[:-_MOST]

    def all(self, match: str = "*") -> tuple[RecordedRequest, ...]:
        """Return those whose path, or "METHOD path", matches the wildcards."""
        with self._lock:
            return tuple(
                each
                for each in self._requests
                if fnmatchcase(each.path, match) or fnmatchcase(f"{each.method} {each.path}", match)
            )

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()
