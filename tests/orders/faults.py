"""A database that fails at one statement."""

from django.db import DatabaseError


class Fault:
    """Fails one SQL statement, as a worker that dies there."""

    def __init__(self, statement: int) -> None:
        self.left = statement

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left == 0:
            raise DatabaseError("died here")
        return execute(sql, params, many, context)
