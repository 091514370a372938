"""Read the bcrypt hashes that people bring with them; signing in replaces them by argon2."""

import bcrypt
from django.contrib.auth.hashers import BCryptPasswordHasher

# The bcrypt of every source system cut passwords here; the library of today raises instead.
BCRYPT_BYTES = 72


class CuttingBCryptHasher(BCryptPasswordHasher):
    """Plain bcrypt that looks at the first 72 bytes, as all bcrypt does."""

    def encode(self, password: str, salt: bytes) -> str:  # type: ignore[override]
        cut = password.encode()[:BCRYPT_BYTES]
        hashed = bcrypt.hashpw(cut, salt)
        return f"{self.algorithm}${hashed.decode('ascii')}"


def with_algorithm(stored: str) -> str:
    """Return a bare ``$2b$…`` hash in the form in which Django finds its hasher."""
    return f"bcrypt${stored}" if stored.startswith(("$2a$", "$2b$", "$2y$")) else stored
