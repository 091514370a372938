from __future__ import annotations

from django.conf import settings
from django.db import models


class Event(models.Model):
    """The outbox: news committed with the change it tells of, read by live pages and workers."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=50)
    workspace_id = models.UUIDField(null=True, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "events"
        indexes = (models.Index(fields=["workspace_id", "id"], name="idx_events_workspace"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class DataType(models.TextChoices):
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    JSON = "json"


class Setting(models.Model):
    """One configuration entry that an operator may change while the system runs."""

    key = models.CharField(max_length=100, primary_key=True)
    value = models.TextField(blank=True)
    data_type = models.CharField(max_length=10, choices=DataType.choices, default=DataType.STRING)
    category = models.CharField(max_length=30, default="system")
    description = models.CharField(max_length=200, blank=True)
    is_sensitive = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "config"

    def __str__(self) -> str:
        return self.key


class SettingChange(models.Model):
    """What a setting was before each change, and who changed it."""

    id = models.BigAutoField(primary_key=True)
    setting = models.ForeignKey(Setting, on_delete=models.CASCADE, related_name="changes")
    version = models.PositiveIntegerField()
    old_value = models.TextField(blank=True)
    new_value = models.TextField(blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "config_changes"
        constraints = (
            models.UniqueConstraint(fields=["setting", "version"], name="uq_config_version"),
        )

    def __str__(self) -> str:
        return f"{self.setting_id} v{self.version}"


class Severity(models.TextChoices):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class LogType(models.TextChoices):
    AUTH = "auth"
    ORDER = "order"
    RMS = "rms"
    BROKER = "broker"
    SYSTEM = "system"


class SystemLog(models.Model):
    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True
    )
    level = models.CharField(max_length=20, choices=Severity.choices, default=Severity.INFO)
    type = models.CharField(max_length=10, choices=LogType.choices, default=LogType.SYSTEM)
    message = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "system_logs"

    def __str__(self) -> str:
        return f"{self.level} {self.message[:60]}"


class RequestLog(models.Model):
    """One line per request that changed something; each row seals the one before it."""

    id = models.BigAutoField(primary_key=True)
    event_type = models.CharField(max_length=50)
    request_id = models.UUIDField()
    client_ip = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(blank=True)
    path = models.CharField(max_length=500)
    method = models.CharField(max_length=10)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    status_code = models.PositiveSmallIntegerField()
    processing_time_ms = models.DecimalField(max_digits=12, decimal_places=3)
    success = models.BooleanField()
    error_message = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    row_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "audit_logs"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status_code}"


class AuditChain(models.Model):
    """The two ends of the request log's chain, in one row that also makes its writers take turns.

    ``first_hash`` is what the oldest row still kept points back to: empty at the beginning, and
    the hash of the last row that was let go once rows have passed their time.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    first_hash = models.CharField(max_length=64, blank=True)
    last_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "audit_chain"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="ck_one_audit_chain"),)

    def __str__(self) -> str:
        return f"…{self.last_hash[-8:]}"


class ErrorLog(models.Model):
    id = models.BigAutoField(primary_key=True)
    error_type = models.CharField(max_length=100)
    error_code = models.CharField(max_length=50, blank=True)
    message = models.TextField(blank=True)
    stack_trace = models.TextField(blank=True)
    context = models.JSONField(default=dict, blank=True)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.ERROR)
    # Plain ids, not keys: an error outlives the order or account it speaks of.
    related_order_id = models.UUIDField(null=True, blank=True)
    related_account_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "error_log"
        indexes = (models.Index(fields=["error_type", "created_at"], name="idx_errors_type"),)

    def __str__(self) -> str:
        return f"{self.error_type} {self.error_code}".strip()


class Lease(models.Model):
    """Who alone may do a thing, and until when. The token grows with each change of holder."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    token = models.PositiveBigIntegerField(default=1)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "leases"

    def __str__(self) -> str:
        return f"{self.name} held by {self.holder}"


class Installation(models.Model):
    """Which database this is, in one row: see ``operations.installation``."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    identity = models.UUIDField(help_text="Of this database since a person last confirmed it")
    place = models.CharField(max_length=100, blank=True, help_text="Where it lay when it was made")
    pulse = models.PositiveBigIntegerField(default=0, help_text="Grows while it is in use")
    seen_at = models.DateTimeField()
    doubt = models.CharField(max_length=200, blank=True)
    doubted_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    confirmed_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "installation"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="ck_one_installation"),
        )

    def __str__(self) -> str:
        return f"{self.identity}"
