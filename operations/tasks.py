from celery import shared_task
from django.utils import timezone

from operations.retention import apply_retention


@shared_task
def apply_retention_task() -> None:
    """Remove what has passed its time; beat calls it once a day."""
    apply_retention(now=timezone.now(), is_dry_run=False)
