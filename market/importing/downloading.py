"""Fetch a broker's instrument list into a file without a name: bounded in size and in time.

The body goes to disk as it comes, so that a list of any size needs little memory. Whatever is
compressed is unpacked, and what it unpacks to is bounded like the rest.
"""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

import requests

from brokers.masters import Master
from brokers.transport import Manners, NoAnswer, Transport
from market.importing.files import LARGEST
from market.importing.rows import FileRefused

_CHUNK = 256 * 1024
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Bounds:
    """``seconds`` bounds a whole download; a silence is bounded by the transport already."""

    size: int = LARGEST
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Asking:
    """With which secrets of a session, and by which way, a list is asked for."""

    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    manners: Manners = field(default_factory=Manners)
    bounds: Bounds = field(default_factory=Bounds)


@contextmanager
def downloaded(master: Master, asking: Asking) -> Iterator[IO[bytes]]:
    """Give the list as an open file, gone afterwards.

    :raises FileRefused: when the broker answers with anything but a list of bearable size.
    :raises TransportError: when it does not answer.
    """
    with tempfile.TemporaryFile() as file, _Download(file, asking) as download:
        address, headers = master.address(asking.secrets), master.headers(asking.secrets)
        download.follows_redirects = not headers
        answer = download.get(address, headers=headers)
        if answer.status_code != requests.codes.ok:
            raise FileRefused(f"The broker gave no instrument list (HTTP {answer.status_code})")
        file.seek(0)
        is_packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not is_packed:
            yield file
            return
        with tempfile.TemporaryFile() as plain:
            _unpack(file, plain, asking.bounds)
            yield plain


class _Download(Transport):
    """Writes each body to a file instead of holding it."""

    def __init__(self, target: IO[bytes], asking: Asking) -> None:
        super().__init__(asking.manners)
        self._target = target
        self._bounds = asking.bounds
        self._written: requests.Response | None = None
        self._ends = monotonic() + asking.bounds.seconds

    def send(self, request: requests.PreparedRequest, **wishes: Any) -> requests.Response:
        answer = super().send(request, **{**wishes, "stream": True})
        # After a redirect this is called for the last answer, and then again around it.
        if not answer.is_redirect and answer is not self._written:
            self._write(answer)
            self._written = answer
            # The transport reads the body of every answer; this one is on disk.
            answer._content = b""
        return answer

    def _write(self, answer: requests.Response) -> None:
        self._target.seek(0)
        self._target.truncate()
        for chunk in answer.iter_content(_CHUNK):
            if monotonic() > self._ends:
                raise NoAnswer(f"The download took more than {self._bounds.seconds:.0f} s")
            if self._target.tell() + len(chunk) > self._bounds.size:
                raise FileRefused(_too_large(self._bounds))
            self._target.write(chunk)


def _unpack(packed: IO[bytes], plain: IO[bytes], bounds: Bounds) -> None:
    try:
        with gzip.open(packed) as body:
            while chunk := body.read(_CHUNK):
                if plain.tell() + len(chunk) > bounds.size:
                    raise FileRefused(_too_large(bounds))
                plain.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused("The compressed list breaks off: it will be fetched again") from error
    plain.seek(0)


def _too_large(bounds: Bounds) -> str:
    return f"The list is larger than {bounds.size // 1024 // 1024} MB"
