"""Zerodha Kite Connect v3 as its wire shows it, over the simulated broker."""
