"""Column types for money. Fifteen digits: exact on PostgreSQL and on SQLite alike."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    # To the type checker it is the plain field, which knows of null and of Decimal.
    from django.db.models import DecimalField as MoneyField
else:

    class MoneyField(models.DecimalField):
        """A price or an amount, four decimals so that booking loses nothing; shown with two."""

        def __init__(self, **options):
            super().__init__(**{"max_digits": 15, "decimal_places": 4, **options})


__all__ = ["MoneyField", "or_none"]


def or_none(field: str) -> Coalesce:
    """Stand a nullable key for one value where it is empty, so that two empties are not distinct.

    PostgreSQL can say NULLS NOT DISTINCT, SQLite cannot; this works on both.
    """
    return Coalesce(field, models.Value(uuid.UUID(int=0), output_field=models.UUIDField()))
