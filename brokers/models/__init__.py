from brokers.models.calls import BrokerCall, RateLimitWindow
from brokers.models.connections import (
    AccountType,
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    TradingAccount,
)
from brokers.models.paper import (
    EntryKind,
    PaperAccount,
    PaperContract,
    PaperDelivery,
    PaperLedgerEntry,
    PaperOrder,
    PaperPosition,
    PaperTrade,
)
from brokers.models.streams import (
    PostbackConfig,
    PostbackEvent,
    ProcessingStatus,
    StreamConnection,
    StreamMessage,
    StreamStatus,
)

__all__ = [
    "AccountType",
    "AuthToken",
    "BrokerCall",
    "BrokerConnection",
    "ConnectionStatus",
    "EntryKind",
    "PaperAccount",
    "PaperContract",
    "PaperDelivery",
    "PaperLedgerEntry",
    "PaperOrder",
    "PaperPosition",
    "PaperTrade",
    "PostbackConfig",
    "PostbackEvent",
    "ProcessingStatus",
    "RateLimitWindow",
    "StreamConnection",
    "StreamMessage",
    "StreamStatus",
    "TradingAccount",
]
