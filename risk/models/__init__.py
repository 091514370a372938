from risk.models.controls import ControlType, TraderControl, Trading, TradingState
from risk.models.reservations import PositionExtreme, PositionStop, Reservation
from risk.models.rules import RiskRule, RiskViolation, RuleStanding, RuleType, ViolationAction

__all__ = [
    "ControlType",
    "PositionExtreme",
    "PositionStop",
    "Reservation",
    "RiskRule",
    "RiskViolation",
    "RuleStanding",
    "RuleType",
    "TraderControl",
    "Trading",
    "TradingState",
    "ViolationAction",
]
