"""Which importer reads which kind of file, with what the person said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market.importing import alpaca, angel, archives, bhavcopy, dhan, kite, ohlcv
from market.importing.reading import Source
from market.importing.rows import FileRefused, Listed, Priced, Rows
from market.importing.values import day_of
from market.models import ImportKind

MASTERS = {
    ImportKind.KITE_MASTER: (kite.BROKER, kite.kite_rows),
    ImportKind.DHAN_MASTER: (dhan.BROKER, dhan.dhan_rows),
    ImportKind.ANGEL_MASTER: (angel.BROKER, angel.angel_rows),
    ImportKind.ALPACA_MASTER: (alpaca.BROKER, alpaca.alpaca_rows),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say of a file; all of it may be empty.

    ``dates`` says the order of its dates (see DateOrder). ``accepted`` names what was agreed to:
    a question's code. Of a broker's list ``is_whole`` says that it leaves nothing of the broker's
    out, on no exchange.
    """

    symbol: str = ""
    interval: str = ""
    zone: str = ""
    day: str = ""
    columns: Mapping[str, str] | None = None
    dates: str = ""
    accepted: Sequence[str] = ()
    is_whole: bool = False


def master_rows(source: Source, kind: ImportKind) -> Rows[Listed]:
    """:raises FileRefused: when the file is of another kind."""
    return MASTERS[kind][1](source)


def price_rows(source: Source, kind: ImportKind, options: Options) -> Rows[Priced]:
    """:raises FileRefused: when the file is of another kind, or an option is missing or wrong."""
    if kind is ImportKind.DAILY_PRICES:
        return archives.daily_rows(
            source, symbol=options.symbol or source.stem, dates=options.dates
        )
    if kind is ImportKind.INTRADAY_PRICES:
        return archives.intraday_rows(source)
    if kind is ImportKind.BHAVCOPY_CASH:
        return bhavcopy.cash_rows(source, dates=options.dates)
    if kind in (ImportKind.BHAVCOPY_FUTURES, ImportKind.BHAVCOPY_OPTIONS):
        day = day_of(options.day) if options.day else bhavcopy.day_in_name(source.stem)
        if kind is ImportKind.BHAVCOPY_FUTURES:
            return bhavcopy.futures_rows(source, day=day, dates=options.dates)
        return bhavcopy.options_rows(source, day=day, dates=options.dates)
    if kind is ImportKind.OHLCV:
        named = ohlcv.Options(
            options.columns or {},
            options.symbol,
            options.interval,
            options.zone,
            options.dates,
        )
        return ohlcv.ohlcv_rows(source, options=named)
    raise FileRefused(f"{kind.label} is not a price file")
