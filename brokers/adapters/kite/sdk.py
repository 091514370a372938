"""The official SDK's classes, without what merely importing ``kiteconnect`` does to a process.

The package's own ``__init__`` imports its ticker, which installs Twisted's reactor: another event
loop can then no longer be installed, and a reactor that was stopped never starts again. So the
client's module is imported without that ``__init__``, and the ticker's module is read a second
time under a private name in which Twisted and autobahn are empty: its packet parser needs neither.
A plain ``import kiteconnect`` elsewhere still does what it always did.
"""

import builtins
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "kiteconnect"
_ABSENT = ("twisted", "autobahn")


def _package_spec() -> ModuleSpec:
    spec = find_spec(_PACKAGE)
    if spec is None:
        raise ModuleNotFoundError("kiteconnect is not installed", name=_PACKAGE)
    return spec


def _connect_module() -> ModuleType:
    if _PACKAGE in sys.modules:
        return import_module(f"{_PACKAGE}.connect")
    sys.modules[_PACKAGE] = module_from_spec(_package_spec())
    try:
        return import_module(f"{_PACKAGE}.connect")
    finally:
        # Whoever imports the package itself later gets the real one.
        del sys.modules[_PACKAGE]


class _Empty:
    """A module of which every name is a class that does nothing."""

    def __getattr__(self, name: str) -> type:
        return type(name, (), {})


def _import_without_twisted(
    name: str, namespace: Any = None, names: Any = None, wanted: Any = (), level: int = 0
) -> Any:
    if level == 0 and name.split(".")[0] in _ABSENT:
        return _Empty()
    return __import__(name, namespace, names, wanted, level)


def _ticker_module() -> ModuleType:
    folder = Path((_package_spec().submodule_search_locations or ["."])[0])
    spec = spec_from_file_location(f"{_PACKAGE}._packets", folder / "ticker.py")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("kiteconnect has no ticker.py", name=_PACKAGE)
    module = module_from_spec(spec)
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import_without_twisted}
    spec.loader.exec_module(module)
    vars(module)["datetime"] = _AwareTime
    return module


class _AwareTime:
    """What the parser takes for ``datetime``: its own would make times without a zone."""

    @staticmethod
    def fromtimestamp(seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)


class _Number(int):
    """A number of a packet: prices come out exact and signed when the parser divides them."""

    def __truediv__(self, divisor: float) -> Decimal:  # type: ignore[override]
        signed = int(self) - (1 << 32) if self >= 1 << 31 else int(self)
        return Decimal(signed) / Decimal(divisor)


_connect = _connect_module()
KiteConnect: Any = _connect.KiteConnect
KiteException: Any = _connect.ex.KiteException
KiteTicker: Any = _ticker_module().KiteTicker


class PacketParser(KiteTicker):  # type: ignore[misc]
    """The SDK's own reading of binary frames: no socket, no reactor, no floats."""

    def __init__(self) -> None:
        """Do not open what the SDK's ticker opens."""

    def read(self, frame: bytes) -> list[dict[str, Any]]:
        """Return the SDK's dicts of the packets it knows; of a cut frame it makes nonsense."""
        packets: list[dict[str, Any]] = self._parse_binary(frame)
        return packets

    def _unpack_int(self, frame: bytes, start: int, end: int, byte_format: str = "I") -> int:
        return _Number(super()._unpack_int(frame, start, end, byte_format))
