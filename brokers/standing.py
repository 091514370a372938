"""What an account may do now and why: one source for every page that says it."""

from dataclasses import dataclass
from enum import StrEnum

SENDS_NOTHING = "no entries, and no exits or cancels either, until somebody logs in"
ONLY_EXITS = "entries wait, exits and cancels go"


class Standing(StrEnum):
    REPLAY = "Replay"
    SIGNED_OUT = "Signed out"
    NOT_CONNECTED = "Not connected"
    DISCONNECTED = "Disconnected"
    DIFFERS = "Differs from its broker"
    NOT_COMPARED = "Not compared"
    LIVE_OFF = "Live trading is off"
    READY = "Ready"

    @property
    def effect(self) -> str:
        """What may be sent for the account, as the end of a sentence."""
        return _EFFECTS[self]

    @property
    def reaches_broker(self) -> bool:
        return self not in _CUT_OFF

    @property
    def is_well(self) -> bool:
        return self in (Standing.READY, Standing.REPLAY)


_CUT_OFF = (Standing.SIGNED_OUT, Standing.NOT_CONNECTED, Standing.DISCONNECTED)
_EFFECTS = {
    Standing.REPLAY: "played, and over",
    **dict.fromkeys(_CUT_OFF, SENDS_NOTHING),
    Standing.DIFFERS: "only exits there",
    Standing.NOT_COMPARED: ONLY_EXITS,
    Standing.LIVE_OFF: "nothing is sent until it is turned on",
    Standing.READY: "",
}
BY_STATUS = {
    "expired": Standing.SIGNED_OUT,
    "error": Standing.NOT_CONNECTED,
    "disconnected": Standing.DISCONNECTED,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an account's standing follows from; ``differing`` counts what does not agree."""

    is_replay: bool
    status: str
    differing: int
    is_compared: bool
    may_send: bool


def standing_by(facts: Facts) -> Standing:
    """Name the first thing that stands in the way: what cuts off comes before what waits."""
    if facts.is_replay:
        return Standing.REPLAY
    if facts.status in BY_STATUS:
        return BY_STATUS[facts.status]
    if not facts.is_compared:
        return Standing.NOT_COMPARED
    if facts.differing:
        return Standing.DIFFERS
    return Standing.READY if facts.may_send else Standing.LIVE_OFF
