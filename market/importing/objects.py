"""The objects of one large JSON array, one after the other, with little of it in memory."""

import codecs
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from market.importing.reading import Source
from market.importing.rows import FileRefused, RowRefused

_CHUNK = 64 * 1024
# One instrument has some 250 characters: a longer one means that this is another file.
_LONGEST_ENTRY = 16 * 1024


def json_objects(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give each object of the array with its place in it.

    :raises FileRefused: when it is not a JSON array of objects, or breaks off.
    """
    decoder = json.JSONDecoder()
    buffer, place, number = "", 0, 0
    for chunk in _chunks(source):
        buffer, place = buffer[place:] + chunk, 0
        while (place := _skip_separators(buffer, place)) < len(buffer):
            if buffer[place] == "]":
                _refuse_more(buffer[place + 1 :], source, number)
                return
            try:
                entry, place = decoder.raw_decode(buffer, place)
            except (json.JSONDecodeError, RecursionError) as error:
                if len(buffer) - place > _LONGEST_ENTRY:
                    raise FileRefused(f"Entry {number + 1} is not JSON") from error
                break  # The rest of this entry is in the next chunk.
            number += 1
            if not isinstance(entry, dict):
                raise FileRefused(f"Entry {number} is not an object with the instrument's fields")
            yield number, entry
    raise FileRefused(f"The file breaks off after {number} entries: download it again")


def _refuse_more(rest: str, source: Source, number: int) -> None:
    if rest.strip() or source.file.read(_CHUNK).strip():
        raise FileRefused(
            f"The list ends after {number} entries and the file goes on: it is damaged"
        )


def text_of(row: Mapping[str, Any], field: str) -> str:
    """Read a text or a number; one that is null or missing is empty.

    :raises RowRefused: when it is a list, an object, or true.
    """
    value = row.get(field)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRefused(f"The field {field} is neither a text nor a number")
    return format(Decimal(str(value)), "f")


def _chunks(source: Source) -> Iterator[str]:
    if not source.head.lstrip().startswith("["):
        raise FileRefused("The file is not a JSON array of instruments")
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    started = False
    while chunk := source.file.read(_CHUNK):
        source.bytes_read += len(chunk)
        text = decoder.decode(chunk)
        yield text if started else text.removeprefix("\ufeff").lstrip()[1:]
        started = True


def _skip_separators(buffer: str, place: int) -> int:
    while place < len(buffer) and buffer[place] in " \t\r\n,":
        place += 1
    return place
