from market.models.calendar import ScheduleOverride
from market.models.history import Candle, Interval, OptionChainRow, Tick
from market.models.imports import ImportIssue, ImportKind, ImportRun, ImportStatus
from market.models.instruments import (
    BrokerInstrument,
    CorporateAction,
    CorporateActionKind,
    Instrument,
    InstrumentTerms,
    PriceBandRow,
    Quote,
)
from market.models.watchlists import Watchlist, WatchlistItem

__all__ = [
    "BrokerInstrument",
    "Candle",
    "CorporateAction",
    "CorporateActionKind",
    "ImportIssue",
    "ImportKind",
    "ImportRun",
    "ImportStatus",
    "Instrument",
    "InstrumentTerms",
    "Interval",
    "OptionChainRow",
    "PriceBandRow",
    "Quote",
    "ScheduleOverride",
    "Tick",
    "Watchlist",
    "WatchlistItem",
]
