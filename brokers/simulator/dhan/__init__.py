"""A stand-in for Dhan: DhanHQ v2 over REST and its two sockets, its logins and its scrip master."""
