"""Where an uploaded file waits for its import: under the run's own id, never under its own name."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from market.importing.rows import FileRefused
from market.models import ImportRun

# Angel One's master, the largest that is known, has some 40 MB.
LARGEST = 200 * 1024 * 1024


class Upload(Protocol):
    """What Django calls an uploaded file, and an open file wrapped in ``File``."""

    @property
    def name(self) -> str | None: ...

    def chunks(self) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Kept:
    size: int
    digest: str


def keep(upload: Upload, run: ImportRun) -> Kept:
    """Copy an upload to where its run will look for it.

    :raises FileRefused: when it is larger than any file that is known here.
    """
    path = path_of(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        for chunk in upload.chunks():
            size += len(chunk)
            if size > LARGEST:
                break
            digest.update(chunk)
            target.write(chunk)
    if size > LARGEST:
        discard(run)
        raise FileRefused(f"The file is larger than {LARGEST // 1024 // 1024} MB")
    return Kept(size, digest.hexdigest())


def open_kept(run: ImportRun) -> BinaryIO:
    """:raises FileRefused: when the file is gone, as after a restore or on another machine."""
    try:
        return path_of(run).open("rb")
    except FileNotFoundError as error:
        raise FileRefused("The uploaded file is gone: upload it again") from error


def discard(run: ImportRun) -> None:
    path_of(run).unlink(missing_ok=True)


def path_of(run: ImportRun) -> Path:
    return Path(settings.MEDIA_ROOT) / "imports" / run.pk.hex


def shown_name(name: str | None) -> str:
    """Return the last part of a name as a label: no folders, nothing that cannot be printed."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last))[:255] or "file"
