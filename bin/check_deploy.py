"""Run Django's deployment checks with a server's settings, so that a laptop's do not hide them."""

import os
import secrets
import subprocess
import sys

from cryptography.fernet import Fernet

SERVER = {
    "SECRET_KEY": secrets.token_urlsafe(60),
    "SECRET_KEYS": Fernet.generate_key().decode(),
    "DEBUG": "off",
    "HTTPS": "on",
    "ALLOWED_HOSTS": "pinnacle.example",
    "DATABASE_URL": "postgres://pinnacle:secret@db.example/pinnacle",
    "REDIS_URL": "rediss://:secret@cache.example/0",
}
COMMAND = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

if __name__ == "__main__":
    raise SystemExit(subprocess.run(COMMAND, env={**os.environ, **SERVER}, check=False).returncode)
