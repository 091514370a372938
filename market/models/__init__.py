from market.models.calendar import ScheduleChange, ScheduleOverride
from market.models.history import Candle, Interval, OptionChainRow, Tick
from market.models.imports import ImportIssue, ImportKind, ImportRun, ImportStatus, ImportUndo
from market.models.instruments import (
    BrokerInstrument,
    CorporateAction,
    CorporateActionKind,
    Instrument,
    InstrumentName,
    InstrumentTerms,
    PriceBandRow,
    Quote,
)
from market.models.rules import (
    Certainty,
    ExpiryRule,
    FreezeRule,
    HolidayRule,
    LotRule,
    SessionRule,
    SquareOffRule,
    SymbolRule,
    TickRule,
)
from market.models.settlement import SettlementPrice
from market.models.watchlists import Watchlist, WatchlistItem

__all__ = [
    "BrokerInstrument",
    "Candle",
    "Certainty",
    "CorporateAction",
    "CorporateActionKind",
    "ExpiryRule",
    "FreezeRule",
    "HolidayRule",
    "ImportIssue",
    "ImportKind",
    "ImportRun",
    "ImportStatus",
    "ImportUndo",
    "Instrument",
    "InstrumentName",
    "InstrumentTerms",
    "Interval",
    "LotRule",
    "OptionChainRow",
    "PriceBandRow",
    "Quote",
    "ScheduleChange",
    "ScheduleOverride",
    "SessionRule",
    "SettlementPrice",
    "SquareOffRule",
    "SymbolRule",
    "Tick",
    "TickRule",
    "Watchlist",
    "WatchlistItem",
]
