"""One address for load balancers and watchdogs: is the house in order. No sign-in, no secrets."""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from operations.health import Finding, check_cache, check_database
from operations.models import Lease
from trading_site.feeding import LEASE_LENGTH


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and cache are well, 503 when not.

    A silent feed is told of, and is no reason to take the pages away from people.
    """
    findings = [check_database(), check_cache()]
    is_well = all(finding.is_well for finding in findings)
    if findings[0].is_well:
        findings.append(check_feed(now=timezone.now()))
    parts = {each.part: {"well": each.is_well, "detail": each.detail} for each in findings}
    answer = {"status": "well" if is_well else "ill", "parts": parts}
    return JsonResponse(answer, status=200 if is_well else 503)


def check_feed(*, now: datetime) -> Finding:
    """Tell how long ago a feed last said that it lives."""
    leases = Lease.objects.filter(name__startswith="feed:")
    expires_at = leases.aggregate(newest=Max("expires_at"))["newest"]
    if expires_at is None:
        return Finding("feed", False, "never seen")
    age = now - (expires_at - LEASE_LENGTH)
    return Finding("feed", age < LEASE_LENGTH, f"{max(age.total_seconds(), 0):.0f} s ago")
