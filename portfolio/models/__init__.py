from portfolio.models.charges import ChargeRate, SquareOffGroup, SquareOffTime
from portfolio.models.corporate_actions import ShareCredit
from portfolio.models.differences import DifferenceState, PositionDifference
from portfolio.models.holdings import EdisTransaction, Holding
from portfolio.models.ledger import Funds, LedgerEntry, LedgerName, MarginRequirement
from portfolio.models.portfolios import Portfolio, PortfolioHolding, Transaction, TransactionType
from portfolio.models.positions import (
    NettedPosition,
    Position,
    PositionSide,
    PositionStatus,
    PositionType,
)
from portfolio.models.sessions import EquityPoint, SessionStatus, TradingSession
from portfolio.models.settlements import ExpirySettlement, SettlementState
from portfolio.models.unreadable import RowKind, UnreadableRow

__all__ = [
    "ChargeRate",
    "DifferenceState",
    "EdisTransaction",
    "EquityPoint",
    "ExpirySettlement",
    "Funds",
    "Holding",
    "LedgerEntry",
    "LedgerName",
    "MarginRequirement",
    "NettedPosition",
    "Portfolio",
    "PortfolioHolding",
    "Position",
    "PositionDifference",
    "PositionSide",
    "PositionStatus",
    "PositionType",
    "RowKind",
    "SessionStatus",
    "SettlementState",
    "ShareCredit",
    "SquareOffGroup",
    "SquareOffTime",
    "TradingSession",
    "Transaction",
    "TransactionType",
    "UnreadableRow",
]
