"""Open a file that a stranger made: bounded lines, known encoding, and clear words otherwise."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from market.importing.rows import FileRefused

_LONGEST_LINE = 64 * 1024
_LONGEST_FIELD = 8 * 1024
_HEAD = 64 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_BINARY_FORMS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: unpack it, or save it as CSV"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"SQLite format 3", "a database"),
    (b"\xff\xfe", "in UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "in UTF-16: save it as UTF-8"),
)


@dataclass(slots=True)
class Source:
    """An open file and how much of it has been read. Opened by :func:`open_source`."""

    file: BinaryIO
    name: str
    size: int
    head: str
    bytes_read: int = 0
    lines_read: int = 0

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    def lines(self) -> Iterator[str]:
        """Give each line with its end, as text.

        :raises FileRefused: when a line is longer than any table has.
        """
        while line := self.file.readline(_LONGEST_LINE + 1):
            self.lines_read += 1
            self.bytes_read += len(line)
            if len(line) > _LONGEST_LINE:
                raise FileRefused(f"Line {self.lines_read} is too long for a table")
            text = line.decode("utf-8", errors="replace")
            yield text.removeprefix("\ufeff") if self.lines_read == 1 else text

    def table(self) -> Iterator[tuple[int, list[str]]]:
        """Give each row of a CSV with its line number; blank lines are left out.

        :raises FileRefused: when the file stops being a table.
        """
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader(self.lines(), delimiter=delimiter_of(self.head))
        try:
            for row in reader:
                if row:
                    yield self.lines_read, row
        except csv.Error as error:
            raise FileRefused(f"Line {self.lines_read} is not a row of a table: {error}") from error

    def records(self, *needed: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Give each row by the names of its columns, trimmed; the first row holds the names.

        :raises FileRefused: when a needed column is missing.
        """
        rows = self.table()
        _, first = next(rows, (0, []))
        names = [name.strip() for name in first]
        missing = [name for name in needed if name not in names]
        if missing:
            raise FileRefused(
                f"The column {missing[0]} is missing; the file begins with: {self.head_line}"
            )
        for line, row in rows:
            yield line, dict(zip(names, row, strict=False))

    @property
    def head_line(self) -> str:
        return self.head.partition("\n")[0].strip()[:120]


def open_source(file: BinaryIO, *, name: str) -> Source:
    """Look at a file's beginning and make it ready to be read from there.

    :raises FileRefused: when it is empty, or anything but text.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    return Source(file, name, size, head_text(head))


def head_text(head: bytes) -> str:
    """Return the beginning of a file as text.

    :raises FileRefused: when it is empty, or anything but text.
    """
    if not head.strip():
        raise FileRefused("The file is empty")
    for start, words in _BINARY_FORMS:
        if head.startswith(start):
            raise FileRefused(f"The file is {words}")
    if b"\0" in head:
        raise FileRefused("The file holds NUL bytes: it is not a text file")
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if text.lstrip()[:14].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise FileRefused("The file is a web page: the download did not give the data")
    return text


def delimiter_of(head: str) -> str:
    """Tell what parts the fields of the first line."""
    first = head.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)
