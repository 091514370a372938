"""Open a file that a stranger made: bounded lines, known encoding, and clear words otherwise."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from market.importing.rows import FileRefused, Record

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
    """An open file, how much of it has been read, and sentences on how it is read.

    Opened by :func:`open_source`.
    """

    file: BinaryIO
    name: str
    size: int
    head: str
    bytes_read: int = 0
    lines_read: int = 0
    notes: list[str] = field(default_factory=list)

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

        A quoted field holds no line break: none of the files that are known here has one, and one
        stray quote would swallow every row up to the next.

        :raises FileRefused: when the file stops being a table, with the line where it does.
        """
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader(self.lines(), delimiter=delimiter_of(self.head), strict=True)
        while True:
            line = self.lines_read + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise FileRefused(_broken_row(line, self.lines_read, str(error))) from error
            if row is None:
                return
            if self.lines_read > line:
                raise FileRefused(_open_quote(line))
            if row:
                yield line, row

    def records(self, *needed: str) -> Iterator[tuple[int, Record]]:
        """Give each row by the names of its columns, trimmed; the first row holds the names.

        A row that does not fit the names has lost its columns: it is refused by its line.

        :raises FileRefused: when a needed column is missing or comes twice, or no row follows.
        """
        rows = self.table()
        _, first = next(rows, (0, []))
        names = [name.strip() for name in first]
        _check_names(names, needed, self.head_line)
        is_empty = True
        for line, row in rows:
            is_empty = False
            yield line, Record(zip(names, row, strict=False), flaw=_flaw(names, row))
        if is_empty:
            raise FileRefused("The file has no rows")

    @contextmanager
    def read_before(self) -> Iterator["Source"]:
        """Lend the file to be looked through, before it is read from its beginning."""
        try:
            yield replace(self, bytes_read=0, lines_read=0)
        finally:
            self.file.seek(0)

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
    if b"\r" in head and b"\n" not in head:
        raise FileRefused(
            "The lines end with a carriage return alone, as on old Macs: "
            "save the file as CSV with ordinary line endings"
        )
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


def fields_of(line: str, delimiter: str) -> list[str]:
    """Split one line as a table's row; quotes are taken off, blanks around names too."""
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # The reading of the file says what is wrong, and where.
        return []


def _check_names(names: list[str], needed: tuple[str, ...], head_line: str) -> None:
    for name in needed:
        if name not in names:
            words = f"The column {name} is missing; the file begins with: {head_line}"
            raise FileRefused(words)
        if names.count(name) > 1:
            raise FileRefused(f"The column {name} comes {names.count(name)} times")


def _flaw(names: list[str], row: list[str]) -> str:
    if len(row) < len(names):
        return f"The row breaks off before {names[len(row)] or 'its last column'}"
    if any(row[len(names) :]):
        return f"The row has {len(row)} fields and the file {len(names)} columns"
    return ""


def _open_quote(line: int) -> str:
    return (
        f"Line {line} opens a quote that it does not close: everything after it would be read as "
        "one field. Mend that line, or download the file again"
    )


def _broken_row(line: int, last: int, error: str) -> str:
    if "unexpected end of data" in error or (last > line and "field larger" in error):
        return _open_quote(line)
    if "expected after" in error:
        return f"Line {line} has a quote inside a quoted field: mend that line"
    if "new-line character" in error:
        return f"Line {line} has a carriage return inside: save the file with ordinary line endings"
    return f"Line {line} is not a row of a table: {error}"
