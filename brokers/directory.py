"""Which instrument a broker means by its own number: a question to the house above.

Instruments live one floor higher, so the site installs a :class:`Directory` at start-up, as it
installs the paper broker's venue.
"""

from dataclasses import dataclass, field
from typing import Protocol

from brokers.gateway import InstrumentRef


class Directory(Protocol):
    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        """Return the key of what the broker numbers, or names, so on its exchange.

        None when it is unknown.
        """
        ...

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        """Return the instrument with the broker's number and symbol; None when unknown."""
        ...


class DirectoryMissing(Exception):
    """The site did not install a directory."""


_installed: list[Directory] = []


def install_directory(directory: Directory) -> None:
    _installed[:] = [directory]


def installed_directory() -> Directory:
    if not _installed:
        raise DirectoryMissing("No directory is installed: the site does it at start-up")
    return _installed[0]


def key_at(broker: str, *, exchange: str, token: str) -> str:
    """Return the house's key, or one that says whose number is unknown here.

    A report in an unknown instrument must not be dropped: under this key it cannot be adopted, is
    logged, and holds the account back until the instrument has been imported.
    """
    known = installed_directory().key_of(broker, exchange=exchange, token=token)
    return known or f"{broker.upper()}?{exchange}:{token}"


def is_unknown(key: str) -> bool:
    """Tell the key of what is not known here, see :func:`key_at`."""
    return "?" in key


@dataclass(slots=True)
class RememberedKeys:
    """:func:`key_at` for one socket's life: what is known is asked once, what is not each time."""

    broker: str
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, exchange: str, token: str) -> str:
        place = exchange, token
        if place not in self._known:
            known = installed_directory().key_of(self.broker, exchange=exchange, token=token)
            if known is None:
                return key_at(self.broker, exchange=exchange, token=token)
            self._known[place] = known
        return self._known[place]
