from risk.models.controls import ControlType, SetBy, TraderControl, Trading, TradingState
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
    "SetBy",
    "TraderControl",
    "Trading",
    "TradingState",
    "ViolationAction",
]
