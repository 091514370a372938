"""Quotes in a table of the database: the embedded mode, where everything is one process."""

from collections.abc import Collection, Sequence

from django.db import connection

from market.models import Quote
from market.quote_terms import Movement, QuoteView, moved

_ROWS_PER_STATEMENT = 500
_FIELDS = {field.name: field for field in Quote._meta.concrete_fields}
_FACTS = [name for name in _FIELDS if name != "instrument_key"]
_SAME_DAY = "quotes.session_date = excluded.session_date"
_CARRIED = {
    "open": f"CASE WHEN {_SAME_DAY} THEN quotes.open ELSE excluded.open END",
    "high": f"CASE WHEN {_SAME_DAY} AND quotes.high > excluded.high"
    " THEN quotes.high ELSE excluded.high END",
    "low": f"CASE WHEN {_SAME_DAY} AND quotes.low < excluded.low"
    " THEN quotes.low ELSE excluded.low END",
    "volume": f"excluded.volume + CASE WHEN {_SAME_DAY} THEN quotes.volume ELSE 0 END",
    "previous_close": f"CASE WHEN {_SAME_DAY} THEN quotes.previous_close ELSE quotes.ltp END",
}


class QuoteTable:
    """The same arithmetic as :func:`market.quote_terms.moved`, done by the database."""

    def move(self, movements: Sequence[Movement]) -> None:
        for first in range(0, len(movements), _ROWS_PER_STATEMENT):
            self._upsert(movements[first : first + _ROWS_PER_STATEMENT])

    def put(self, quotes: Sequence[QuoteView]) -> None:
        Quote.objects.bulk_create(
            [Quote(**_columns(quote)) for quote in quotes],
            update_conflicts=True,
            unique_fields=["instrument_key"],
            update_fields=_FACTS,
        )

    def read(self, keys: Collection[str]) -> dict[str, QuoteView]:
        rows = Quote.objects.filter(instrument_key__in=keys)
        return {row.instrument_key: _view(row) for row in rows}

    def forget(self, keys: Collection[str]) -> None:
        Quote.objects.filter(instrument_key__in=keys).delete()

    def _upsert(self, movements: Sequence[Movement]) -> None:
        values = [
            _FIELDS[name].get_db_prep_save(value, connection=connection)
            for movement in movements
            for name, value in _columns(moved(None, movement)).items()
        ]
        with connection.cursor() as cursor:
            cursor.execute(_upsert_statement(len(movements)), values)


def _upsert_statement(rows: int) -> str:
    placeholders = "(" + ", ".join(["%s"] * len(_FIELDS)) + ")"
    assignments = [f"{name} = {_CARRIED.get(name, f'excluded.{name}')}" for name in _FACTS]
    parts = (
        f"INSERT INTO quotes ({', '.join(_FIELDS)})",
        "VALUES " + ", ".join([placeholders] * rows),
        "ON CONFLICT (instrument_key) DO UPDATE SET " + ", ".join(assignments),
        "WHERE excluded.as_of >= quotes.as_of",
    )
    return " ".join(parts)


def _columns(quote: QuoteView) -> dict[str, object]:
    return {"instrument_key": quote.key, **{name: getattr(quote, name) for name in _FACTS}}


def _view(row: Quote) -> QuoteView:
    return QuoteView(key=row.instrument_key, **{name: getattr(row, name) for name in _FACTS})
