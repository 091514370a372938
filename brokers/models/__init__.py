from brokers.models.calls import BrokerCall, RateLimitWindow
from brokers.models.connections import (
    AccountType,
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    TradingAccount,
)
from brokers.models.logins import OPEN_LOGINS, LoginAttempt, LoginStatus
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
    "OPEN_LOGINS",
    "AccountType",
    "AuthToken",
    "BrokerCall",
    "BrokerConnection",
    "ConnectionStatus",
    "EntryKind",
    "LoginAttempt",
    "LoginStatus",
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
