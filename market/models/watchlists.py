from __future__ import annotations

from django.db import models

from accounts.models import User, Workspace
from market.models.instruments import Instrument
from operations.ids import new_id


class Watchlist(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watchlists")
    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "watchlists"
        constraints = (
            models.UniqueConstraint(fields=["workspace", "user", "name"], name="uq_watchlist"),
        )

    def __str__(self) -> str:
        return self.name


class WatchlistItem(models.Model):
    id = models.BigAutoField(primary_key=True)
    watchlist = models.ForeignKey(Watchlist, on_delete=models.CASCADE, related_name="items")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "watchlist_items"
        constraints = (
            models.UniqueConstraint(fields=["watchlist", "instrument"], name="uq_watchlist_item"),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id}"
