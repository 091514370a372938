"""A day of a market that does not exist: prices and volumes for each of its 86,400 seconds.

Pure arithmetic: the same seed and day always give the same arrays, whatever ran before, so a
restart continues where the last process stopped. Share returns are one market factor times beta
plus a part of their own; both revert to a slowly wandering level; calm and bursts alternate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from market.feeds.universe import INDEX_PRICE, INDEX_TICK, SimulatedShare

SECONDS = 86_400
_EPOCH = date(2020, 1, 1)
_FAST_HALF_LIFE, _SLOW_HALF_LIFE = 480.0, 7200.0  # seconds
_FAST_STEP, _SLOW_STEP = 0.00009, 0.00004  # of the price, in one calm second
_DAY_STEP, _DAY_REVERSION, _GAP = 0.011, 0.03, 0.004
_BURST_EVERY, _PUSH_EVERY = 300.0, 480.0  # seconds, on average
_SPREAD = 0.00015  # of the price, when calm

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SimulatedDay:
    """Second by second, one column a share and the index last; prices and spreads in ticks.

    The last trade was at the bid where ``at_ask`` is 0, at the ask where it is 1.
    """

    day: date
    prices: Integers
    spreads: Integers
    at_ask: Integers
    volumes: Integers


def simulate_day(shares: Sequence[SimulatedShare], *, seed: int, day: date) -> SimulatedDay:
    random = np.random.default_rng([seed, day.toordinal()])
    excitement = _excitement(random)
    logarithms = _levels(len(shares), seed=seed, day=day) + _moves(shares, random, excitement)
    bases = np.array([float(share.price) for share in shares])
    ticks = np.array([float(share.tick) for share in shares])
    weights = np.array([share.weight for share in shares])
    index = float(INDEX_PRICE / INDEX_TICK) * np.exp(logarithms @ (weights / weights.sum()))
    prices = np.maximum(np.rint(bases * np.exp(logarithms) / ticks), 2)
    spreads = np.maximum(np.rint(prices * _SPREAD * np.sqrt(excitement)[:, None]), 1)
    return SimulatedDay(
        day=day,
        prices=np.column_stack([prices, np.rint(index)]).astype(np.int64),
        spreads=np.minimum(spreads, prices - 1).astype(np.int64),
        at_ask=random.integers(0, 2, size=prices.shape),
        volumes=_volumes(shares, random, excitement),
    )


def _moves(
    shares: Sequence[SimulatedShare], random: np.random.Generator, excitement: Floats
) -> Floats:
    """How far each share stands from the day's level, as logarithms."""
    betas = np.array([share.beta for share in shares])
    liveliness = np.array([share.liveliness for share in shares])
    shocks = random.standard_normal((SECONDS, len(shares) + 1)) * excitement[:, None]
    market = _reverting(shocks[:, :1] * _FAST_STEP, _FAST_HALF_LIFE)
    market += _reverting(shocks[:, :1] * _SLOW_STEP, _SLOW_HALF_LIFE)
    own = shocks[:, 1:] * _FAST_STEP + _pushes(len(shares), random)
    moves: Floats = market * betas + _reverting(own, _FAST_HALF_LIFE) * liveliness
    return moves


def _reverting(steps: Floats, half_life: float) -> Floats:
    """Sum steps that fade: x[t] = a·x[t-1] + step[t], in closed form to spare a loop.

    In stretches of a hundred half-lives, since the closed form divides by what has faded.
    """
    length = int(half_life * 100)
    sums = np.empty_like(steps)
    carried = np.zeros(steps.shape[1])
    for first in range(0, len(steps), length):
        stretch = steps[first : first + length]
        fading = np.exp2(-np.arange(1, len(stretch) + 1) / half_life)[:, None]
        sums[first : first + length] = (carried + np.cumsum(stretch / fading, axis=0)) * fading
        carried = sums[min(first + length, len(steps)) - 1]
    return sums


def _pushes(columns: int, random: np.random.Generator) -> Floats:
    """Buyers or sellers who lean on one share for a minute or two."""
    count = random.poisson(SECONDS / _PUSH_EVERY * columns)
    starts = random.integers(0, SECONDS - 120, size=count)
    lengths = random.integers(40, 120, size=count)
    column = random.integers(0, columns, size=count)
    sizes = random.uniform(0.002, 0.006, size=count) * random.choice([-1, 1], size=count)
    change = np.zeros((SECONDS, columns))
    np.add.at(change, (starts, column), sizes / lengths)
    np.add.at(change, (starts + lengths, column), -sizes / lengths)
    return np.cumsum(change, axis=0)


def _excitement(random: np.random.Generator) -> Floats:
    """How much livelier than calm each second is, at least 0.5: bursts that fade, and the
    day's two busy ends."""
    bursts = np.zeros((SECONDS, 1))
    count = random.poisson(SECONDS / _BURST_EVERY)
    np.add.at(bursts[:, 0], random.integers(0, SECONDS, size=count), random.exponential(1.2, count))
    fading = _reverting(bursts, 40.0)[:, 0]
    return np.minimum(0.8 + 0.5 * _busy_ends() + fading, 5.0)


def _busy_ends() -> Floats:
    """A U over the day: 1 at midnight, 0 at noon."""
    return np.linspace(-1, 1, SECONDS) ** 2


def _levels(columns: int, *, seed: int, day: date) -> Floats:
    """Where each share stands through the day: from its opening level to its closing level."""
    days = max((day - _EPOCH).days, 0) + 1
    steps = np.random.default_rng([seed, 0]).standard_normal((days, 2, columns))
    faded = (1 - _DAY_REVERSION) ** np.arange(days)[::-1][:, None]
    overnight, through = steps[:, 0] * _GAP, steps[:, 1] * _DAY_STEP
    closing = ((overnight + through) * faded).sum(axis=0)
    return np.linspace(closing - through[-1], closing, SECONDS)


def _volumes(
    shares: Sequence[SimulatedShare], random: np.random.Generator, excitement: Floats
) -> Integers:
    """Whole shares traded in each second; the index trades none."""
    average = np.array([share.volume for share in shares])
    shape = (0.5 + 1.5 * _busy_ends()) * np.sqrt(excitement)
    traded = random.gamma(0.8, size=(SECONDS, len(shares))) / 0.8 * shape[:, None] * average
    return np.column_stack([np.floor(traded), np.zeros(SECONDS)]).astype(np.int64)
