"""What the house must know of a broker's instrument list: where it is, and when it is new."""

from collections.abc import Mapping
from datetime import time
from typing import Protocol


class Master(Protocol):
    """An adapter's ``master.py``; it loads no SDK.

    ``EXCHANGE`` is whose trading days the list follows, ``READY_AT`` the time on that exchange's
    clock from which the day's own list is there. ``secrets`` are those of an open session, empty
    without one; a list with ``NEEDS_SESSION`` cannot be fetched then.
    """

    @property
    def KIND(self) -> str: ...

    @property
    def EXCHANGE(self) -> str: ...

    @property
    def READY_AT(self) -> time: ...

    @property
    def NEEDS_SESSION(self) -> bool: ...

    def address(self, secrets: Mapping[str, str]) -> str: ...

    def headers(self, secrets: Mapping[str, str]) -> dict[str, str]: ...
