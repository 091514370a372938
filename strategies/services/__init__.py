"""What changes strategies: switching them on and off, judging candles, placing orders."""

from strategies.services.activating import (
    ActivationNotChanged,
    Stopped,
    activate_strategy,
    pause_activation,
    resume_activation,
    stop_activation,
)
from strategies.services.counting import refresh_results
from strategies.services.evaluating import evaluate_candle, evaluate_candles
from strategies.services.ordering import place_signal_order, place_signal_orders
from strategies.validation import ActivationInvalid, ActivationRequest

__all__ = [
    "ActivationInvalid",
    "ActivationNotChanged",
    "ActivationRequest",
    "Stopped",
    "activate_strategy",
    "evaluate_candle",
    "evaluate_candles",
    "pause_activation",
    "place_signal_order",
    "place_signal_orders",
    "refresh_results",
    "resume_activation",
    "stop_activation",
]
