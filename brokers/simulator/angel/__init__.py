"""Angel One's SmartAPI: its paths, its two envelopes, its binary packets."""
