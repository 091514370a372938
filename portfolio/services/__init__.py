"""What changes the books of account. Each service is one transaction, or part of its caller's."""

from portfolio.services.booking import Booked, Sitting, book_fill, post_charges
from portfolio.services.closing import end_session, finished_sessions, settle_due_holdings
from portfolio.services.funds import (
    AmountInvalid,
    FundsUnbelievable,
    deposit,
    refresh_funds,
    withdraw,
)
from portfolio.services.marking import mark_account, mark_holdings
from portfolio.services.sessions import (
    close_session,
    count_order,
    hold_account,
    lock_account,
    start_session,
)

__all__ = [
    "AmountInvalid",
    "Booked",
    "FundsUnbelievable",
    "Sitting",
    "book_fill",
    "close_session",
    "count_order",
    "deposit",
    "end_session",
    "finished_sessions",
    "hold_account",
    "lock_account",
    "mark_account",
    "mark_holdings",
    "post_charges",
    "refresh_funds",
    "settle_due_holdings",
    "start_session",
    "withdraw",
]
