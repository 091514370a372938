from risk.services.evaluating import ProtectiveExit, evaluate_account
from risk.services.judging import (
    evaluate_change,
    evaluate_order,
    judge,
    judge_change,
    record_refusals,
)
from risk.services.limits import RuleInvalid, add_rule, change_rule, remove_rule
from risk.services.reserving import Held, hand_over, hold, hold_remaining
from risk.services.switching import (
    engage_kill_switch,
    release_kill_switch,
    set_trading_state,
)

__all__ = [
    "Held",
    "ProtectiveExit",
    "RuleInvalid",
    "add_rule",
    "change_rule",
    "engage_kill_switch",
    "evaluate_account",
    "evaluate_change",
    "evaluate_order",
    "hand_over",
    "hold",
    "hold_remaining",
    "judge",
    "judge_change",
    "record_refusals",
    "release_kill_switch",
    "remove_rule",
    "set_trading_state",
]
