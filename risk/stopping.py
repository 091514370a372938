"""News of a stop: whatever forbids entries says so here, and what rests is cancelled at once.

Orders stand a floor above, so they hear of it by a signal, once the stop has been committed. News
that is lost with its process is made up for by the orders' own sweep, which asks the same question.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.dispatch import Signal

from operations.errors import contained
from operations.figures import rupees
from operations.sentences import as_sentences

# Sent with ``stop: EntriesStopped``; each receiver answers with the ``CancelledEntries`` it caused.
entries_stopped = Signal()
FAILED = "could not be cancelled because of an error, which is recorded; the sweep tries again"


@dataclass(frozen=True, slots=True)
class EntriesStopped:
    """Whose entries have been stopped, and why: of every workspace, of one, or of one account."""

    reason: str
    now: datetime
    workspace_id: uuid.UUID | None = None
    account_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CancelledEntries:
    """How many open entries a stop has cancelled, and why the others could not be."""

    count: int = 0
    left: tuple[str, ...] = ()

    def __add__(self, other: "CancelledEntries") -> "CancelledEntries":
        return CancelledEntries(self.count + other.count, self.left + other.left)

    @property
    def words(self) -> str:
        """Say both in a sentence or two; nothing where there was no entry."""
        if not self.count and not self.left:
            return ""
        orders = "entry order is" if self.count == 1 else "entry orders are"
        done = f"{rupees(self.count, 0)} open {orders} being cancelled"
        if not self.left:
            return f"{done}."
        return f"{done}, {rupees(len(self.left), 0)} could not be. {as_sentences(self.left)}"


def announce_stop(stop: EntriesStopped) -> CancelledEntries:
    """Have the open entries cancelled that a stop forbids. Call once the stop is committed.

    It raises nothing, so that the exits behind it follow: the answer says what has failed.
    """
    cancelled = CancelledEntries()
    for _, answer in entries_stopped.send_robust(sender=EntriesStopped, stop=stop):
        if isinstance(answer, CancelledEntries):
            cancelled += answer
        elif isinstance(answer, Exception):
            cancelled += CancelledEntries(left=(f"Open entry orders {FAILED}",))
            with contained("cancelling stopped entries", account_id=stop.account_id):
                raise answer
    return cancelled
