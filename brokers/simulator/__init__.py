"""Stand-ins for real brokers: they speak a broker's wire protocol over simulated money.

Outside the house, as a broker is: in memory, no models, nothing above the brokers' floor.
"""
