"""NSE's end-of-day files: cash with delivery, futures, options. Padded fields, a ``*`` footnote."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial

from brokers.terms import InstrumentType, Segment
from market.importing.dates import DateOrder, order_in
from market.importing.prices import Texts, bar_of
from market.importing.reading import Source
from market.importing.rows import (
    FileRefused,
    Priced,
    PricedInstrument,
    Record,
    RowRefused,
    Rows,
)
from market.importing.symbols import contract_symbol
from market.importing.values import count_of, day_of, decimal_of, name_of
from market.models import Interval
from market.schedules import IST

CASH_COLUMNS = (
    "SYMBOL",
    "SERIES",
    "DATE1",
    "OPEN_PRICE",
    "HIGH_PRICE",
    "LOW_PRICE",
    "CLOSE_PRICE",
    "TTL_TRD_QNTY",
)
_CONTRACT_COLUMNS = (
    "INSTRUMENT",
    "SYMBOL",
    "EXP_DATE",
    "OPEN_PRICE",
    "HI_PRICE",
    "LO_PRICE",
    "CLOSE_PRICE",
    "OPEN_INT*",
    "TRD_QTY",
    "NO_OF_CONT",
)
FUTURES_COLUMNS = (*_CONTRACT_COLUMNS, "TRD_VAL")
OPTIONS_COLUMNS = (*_CONTRACT_COLUMNS, "STR_PRICE", "OPT_TYPE")


def cash_rows(source: Source, *, dates: str = "") -> Rows[Priced]:
    """:raises FileRefused: when it is not the cash file."""
    order = order_in(source, partial(_dates, "DATE1", CASH_COLUMNS), said=dates)
    return Rows(source.records(*CASH_COLUMNS), partial(_cash, order))


def futures_rows(source: Source, *, day: date, dates: str = "") -> Rows[Priced]:
    """Read the futures file, which does not say its day.

    :raises FileRefused: when it is not the futures file.
    """
    order = _expiry_order(source, FUTURES_COLUMNS, dates)
    named = partial(_future, order)
    return Rows(_trimmed(source, FUTURES_COLUMNS), partial(_contract, named, day))


def options_rows(source: Source, *, day: date, dates: str = "") -> Rows[Priced]:
    """Read the options file, which does not say its day.

    :raises FileRefused: when it is not the options file.
    """
    order = _expiry_order(source, OPTIONS_COLUMNS, dates)
    named = partial(_option, order)
    return Rows(_trimmed(source, OPTIONS_COLUMNS), partial(_contract, named, day))


def day_in_name(name: str) -> date:
    """Read the day that NSE puts into a file's name: fo14112025.csv.

    :raises FileRefused: when there is none.
    """
    digits = "".join(filter(str.isdecimal, name))
    try:
        return datetime.strptime(digits, "%d%m%Y").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise FileRefused(
            f"The file does not say its day, and neither does its name {name[:60]}: "
            "keep the exchange's name, such as fo14112025.csv"
        ) from error


def _trimmed(source: Source, columns: tuple[str, ...]) -> Iterator[tuple[int, Record]]:
    for line, record in source.records(*columns):
        if record.get("INSTRUMENT", "").startswith("*"):
            continue  # The footnote says how open interest was counted.
        yield line, record


def _dates(column: str, columns: tuple[str, ...], source: Source) -> Iterator[tuple[int, str]]:
    for line, record in _trimmed(source, columns):
        yield line, record.get(column, "").strip()


def _expiry_order(source: Source, columns: tuple[str, ...], said: str) -> DateOrder | None:
    """The exchange writes the day first; a spreadsheet may have turned it round."""
    texts = partial(_dates, "EXP_DATE", columns)
    return order_in(source, texts, said=said, usual=DateOrder.DAY_FIRST)


def _cash(order: DateOrder | None, row: Record) -> Priced:
    symbol = name_of(row["SYMBOL"].strip(), "The symbol", at_most=90)
    series = row["SERIES"].strip()
    key = f"NSE:{symbol}" if series == "EQ" else f"NSE:{symbol}-{series}"
    texts = Texts(
        row["OPEN_PRICE"],
        row["HIGH_PRICE"],
        row["LOW_PRICE"],
        row["CLOSE_PRICE"],
        volume=row["TTL_TRD_QNTY"],
        close_may_stray=True,
    )
    bar = bar_of(texts, at=_midnight(day_of(row["DATE1"], order=order)))
    return Priced(PricedInstrument(key), Interval.D1, bar)


def _contract(named: Callable[[Record], PricedInstrument], day: date, row: Record) -> Priced:
    instrument = named(row)
    texts = Texts(
        row["OPEN_PRICE"],
        row["HI_PRICE"],
        row["LO_PRICE"],
        row["CLOSE_PRICE"],
        volume=row["TRD_QTY"],
        open_interest=row["OPEN_INT*"],
        close_may_stray=True,
    )
    return Priced(instrument, Interval.D1, bar_of(texts, at=_midnight(day)))


def _future(order: DateOrder | None, row: Record) -> PricedInstrument:
    underlying = name_of(row["SYMBOL"].strip(), "The symbol", at_most=60)
    expiry = day_of(row["EXP_DATE"], "The expiry", order=order)
    return PricedInstrument(
        f"NFO:{contract_symbol(underlying, expiry, kind=InstrumentType.FUT)}",
        Segment.NSE_FNO,
        InstrumentType.FUT,
        lot_size=_lot(row),
        expiry=expiry,
        underlying=underlying,
    )


def _option(order: DateOrder | None, row: Record) -> PricedInstrument:
    underlying = name_of(row["SYMBOL"].strip(), "The symbol", at_most=60)
    expiry = day_of(row["EXP_DATE"], "The expiry", order=order)
    option_type = row["OPT_TYPE"].strip()
    if option_type not in ("CE", "PE"):
        raise RowRefused(f"The option type '{option_type[:20]}' is neither CE nor PE")
    kind = InstrumentType(option_type)
    strike = decimal_of(row["STR_PRICE"], "The strike").normalize()
    symbol = contract_symbol(underlying, expiry, kind=kind, strike=strike)
    return PricedInstrument(
        f"NFO:{symbol}",
        Segment.NSE_FNO,
        kind,
        lot_size=_lot(row),
        expiry=expiry,
        strike=Decimal(f"{strike:f}"),
        underlying=underlying,
    )


def _lot(row: Record) -> int:
    """Work the lot out of what traded: quantity divided by contracts."""
    quantity = count_of(row["TRD_QTY"], "The quantity")
    contracts = count_of(row["NO_OF_CONT"], "The number of contracts")
    if not contracts or quantity % contracts:
        return 1
    return max(1, quantity // contracts)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, IST).astimezone(UTC)
