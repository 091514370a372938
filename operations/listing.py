"""Lists on pages: filtered by a form, sorted by a column's head, cut into pages, exported as CSV.

Links keep what was chosen before: each is the query string it leads to.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpResponse, QueryDict

ROWS_PER_PAGE = 50
# A spreadsheet takes a cell that starts like this for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head. ``order_by`` names the fields it sorts by; empty: it does not sort.

    ``title`` says more of it to who points at it.
    """

    label: str
    name: str = ""
    order_by: tuple[str, ...] = ()
    css: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    css: str
    link: str
    sorted: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Listing(Generic[M]):
    """One page of a list. ``query`` is what was chosen, to fetch the same list again."""

    page: Page[M]
    heads: tuple[Head, ...]
    query: str
    previous_link: str
    next_link: str

    def __iter__(self) -> Iterator[M]:
        return iter(self.page)


def list_rows(
    rows: models.QuerySet[M], *, columns: Sequence[Column], params: QueryDict, default: str
) -> Listing[M]:
    """Sort and page the rows as the address asks; what it asks wrongly is ignored.

    ``default`` is a column's name, with a minus in front when it sorts downwards.
    """
    sort = _known_sort(params.get("sort", ""), columns) or default
    ordered = rows.order_by(*_ordering(sort, columns), "-pk")
    page = Paginator(ordered, ROWS_PER_PAGE).get_page(params.get("page"))
    return Listing(
        page=page,
        heads=tuple(_head(column, sort=sort, params=params) for column in columns),
        query=params.urlencode(),
        previous_link=_link(params, page=str(page.number - 1)) if page.has_previous() else "",
        next_link=_link(params, page=str(page.number + 1)) if page.has_next() else "",
    )


def _known_sort(asked: str, columns: Sequence[Column]) -> str:
    names = {column.name for column in columns if column.order_by}
    return asked if asked.removeprefix("-") in names else ""


def _ordering(sort: str, columns: Sequence[Column]) -> list[str]:
    fields = next(column.order_by for column in columns if column.name == sort.removeprefix("-"))
    return [f"-{field}" for field in fields] if sort.startswith("-") else list(fields)


def _head(column: Column, *, sort: str, params: QueryDict) -> Head:
    if not column.order_by:
        return Head(column.label, column.css, link="", sorted="", title=column.title)
    directions = {column.name: "ascending", f"-{column.name}": "descending"}
    # A first press on a number's head asks for the largest first, a second for the smallest.
    turned = column.name if sort == f"-{column.name}" else f"-{column.name}"
    return Head(
        column.label,
        column.css,
        link=_link(params, sort=turned, page=None),
        sorted=directions.get(sort, ""),
        title=column.title,
    )


def _link(params: QueryDict, **changes: str | None) -> str:
    changed = params.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = value
    return f"?{changed.urlencode()}"


class ListFilter(forms.Form):
    """What a list may be narrowed to. Every field is optional; a wrong one narrows nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False
            is_select = isinstance(field.widget, forms.Select)
            field.widget.attrs.setdefault("class", "form-select" if is_select else "form-control")
            field.widget.attrs["aria-label"] = field.label or ""

    def chosen(self) -> Mapping[str, Any]:
        """Return the fields that were filled in rightly."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


def csv_response(
    name: str, *, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    """Answer a CSV file of that name. Words that a spreadsheet would run are made harmless."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value
