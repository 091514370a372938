"""Alpaca Trading API v2 and its market data as their wire shows them, over the simulated broker."""
