"""Kinds of money: what may be added up, compared with a limit, and stopped together.

Real money is never added to paper money, nor one currency to another. A replay lives on a clock of
its own: each is a kind by itself, which no other account counts in, or is stopped by.
"""

import uuid
from dataclasses import dataclass

from brokers.models import TradingAccount


@dataclass(frozen=True, slots=True)
class MoneyKind:
    """Real or paper money in one currency; ``replay_id`` names the account of a replay."""

    is_live: bool
    currency: str
    replay_id: uuid.UUID | None = None

    def __str__(self) -> str:
        money = "live" if self.is_live else "replayed" if self.replay_id else "paper"
        return f"{money} {self.currency}"


def kind_of(account: TradingAccount) -> MoneyKind:
    replay_id = account.pk if account.own_clock else None
    return MoneyKind(not account.is_paper, account.currency, replay_id)
