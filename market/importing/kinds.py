"""Which importer reads which kind of file, with what the person said of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from market.importing import alpaca, angel, archives, bhavcopy, dhan, kite, ohlcv
from market.importing.reading import Source
from market.importing.rows import FileRefused, Listed, Priced, Skipped
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

    Of a broker's list: ``is_whole`` says that the broker has nothing that it leaves out, on no
    exchange; ``accept_loss`` that much of the last one may be missing.
    """

    symbol: str = ""
    interval: str = ""
    zone: str = ""
    day: str = ""
    columns: Mapping[str, str] | None = None
    is_whole: bool = False
    accept_loss: bool = False


def master_rows(source: Source, kind: ImportKind) -> Iterator[Listed | Skipped]:
    """:raises FileRefused: when the file is of another kind."""
    return MASTERS[kind][1](source)


def price_rows(source: Source, kind: ImportKind, options: Options) -> Iterator[Priced | Skipped]:
    """:raises FileRefused: when the file is of another kind, or an option is missing or wrong."""
    if kind is ImportKind.DAILY_PRICES:
        return archives.daily_rows(source, symbol=options.symbol or source.stem)
    if kind is ImportKind.INTRADAY_PRICES:
        return archives.intraday_rows(source)
    if kind is ImportKind.BHAVCOPY_CASH:
        return bhavcopy.cash_rows(source)
    if kind in (ImportKind.BHAVCOPY_FUTURES, ImportKind.BHAVCOPY_OPTIONS):
        day = day_of(options.day) if options.day else bhavcopy.day_in_name(source.stem)
        if kind is ImportKind.BHAVCOPY_FUTURES:
            return bhavcopy.futures_rows(source, day=day)
        return bhavcopy.options_rows(source, day=day)
    if kind is ImportKind.OHLCV:
        named = ohlcv.Options(options.columns or {}, options.symbol, options.interval, options.zone)
        return ohlcv.ohlcv_rows(source, options=named)
    raise FileRefused(f"{kind.label} is not a price file")
