from __future__ import annotations

from datetime import date

from django.db import models

from accounts.models import User, Workspace
from market.models.instruments import BrokerInstrument
from operations.ids import new_id


class ImportKind(models.TextChoices):
    KITE_MASTER = "kite_master", "Kite instruments (CSV)"
    DHAN_MASTER = "dhan_master", "Dhan scrip master (CSV)"
    ANGEL_MASTER = "angel_master", "Angel One scrip master (JSON)"
    ALPACA_MASTER = "alpaca_master", "Alpaca assets (JSON)"
    DAILY_PRICES = "daily_prices", "Daily prices (NSE archive)"
    INTRADAY_PRICES = "intraday_prices", "Intraday prices (three header lines)"
    BHAVCOPY_CASH = "bhavcopy_cash", "NSE bhavcopy, cash"
    BHAVCOPY_FUTURES = "bhavcopy_futures", "NSE bhavcopy, futures"
    BHAVCOPY_OPTIONS = "bhavcopy_options", "NSE bhavcopy, options"
    OHLCV = "ohlcv", "Prices from any CSV (you name the columns)"


class ImportStatus(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    ASKING = "ASKING", "Needs an answer"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    UNDONE = "UNDONE"


class ImportRun(models.Model):
    """One file read: how far it is, what it wrote, and what it left out."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=20, choices=ImportKind.choices)
    file_name = models.CharField(max_length=255)
    file_size = models.PositiveBigIntegerField(default=0)
    file_hash = models.CharField(max_length=64, blank=True)
    status = models.CharField(
        max_length=10, choices=ImportStatus.choices, default=ImportStatus.QUEUED
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="Symbol, columns, interval or day, where given"
    )
    started_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    bytes_read = models.PositiveBigIntegerField(default=0)
    rows_read = models.PositiveIntegerField(default=0)
    rows_written = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_skipped = models.PositiveIntegerField(default=0)
    rows_outside = models.JSONField(
        default=dict, blank=True, help_text="Rows outside known sessions, by day"
    )
    error_message = models.TextField(blank=True)
    question = models.JSONField(
        null=True, blank=True, help_text="What a person must answer before anything is stored"
    )
    notes = models.JSONField(
        default=list, blank=True, help_text="Sentences on how the file was read"
    )
    missing = models.ManyToManyField(
        BrokerInstrument,
        blank=True,
        related_name="+",
        help_text="In the broker's last list and not in this one; listed until a person agrees",
    )
    started_at = models.DateTimeField()
    progress_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last gave a sign of life"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "import_runs"
        indexes = (models.Index(fields=["workspace", "started_at"], name="idx_imports_recent"),)

    def __str__(self) -> str:
        return f"{self.file_name} {self.status}"

    @property
    def percent_read(self) -> int:
        return min(100, 100 * self.bytes_read // self.file_size) if self.file_size else 0

    @property
    def outside_days(self) -> list[tuple[date, int]]:
        """Count the rows left out for being outside known sessions, by day."""
        return [(date.fromisoformat(day), count) for day, count in self.rows_outside.items()]

    @property
    def is_working(self) -> bool:
        return self.status in (ImportStatus.QUEUED, ImportStatus.RUNNING)

    @property
    def is_finished(self) -> bool:
        return not self.is_working and self.status != ImportStatus.ASKING

    @property
    def is_list(self) -> bool:
        """Tell whether it is a broker's instrument list, and not prices."""
        return self.kind.endswith("_master")


class ImportIssue(models.Model):
    """One row left out, by its line in the file, and why."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="issues")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    raw = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "import_issues"
        indexes = (models.Index(fields=["run", "line"], name="idx_import_issues_line"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class ImportUndo(models.Model):
    """Part of what one run changed: each row as it was before, compressed."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="undo_parts")
    body = models.BinaryField()

    class Meta:
        db_table = "import_undo"

    def __str__(self) -> str:
        return f"{self.run_id} {self.pk}"
