"""Sources of prices: the simulated exchange, a replay of stored candles, a broker's stream."""

from market.feeds.feed import Feed, TickBatch
from market.feeds.replay import ReplayFeed, ReplayPlan
from market.feeds.simulated import LiveSimulation, SimulatedExchange

__all__ = ["Feed", "LiveSimulation", "ReplayFeed", "ReplayPlan", "SimulatedExchange", "TickBatch"]
