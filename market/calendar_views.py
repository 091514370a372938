"""The trading calendar's page: what differs from the calendar, and the form to enter it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from accounts.permissions import operator_required
from market.calendar_forms import OverrideForm
from market.models import ScheduleChange, ScheduleOverride
from market.overrides import days_without_hours
from market.overriding import OverrideRefused, enter_override, remove_override

_CHANGES_SHOWN = 20
_PREFILLED = ("day", "reason")


@require_GET
def calendar(request: UserRequest) -> HttpResponse:
    known = {name: request.GET[name] for name in _PREFILLED if name in request.GET}
    return _show(request, OverrideForm(initial=known))


@require_POST
@operator_required
def enter(request: UserRequest) -> HttpResponse:
    """Every desk trades by the calendar, so only the operator changes it."""
    form = OverrideForm(request.POST)
    if form.is_valid():
        try:
            entered = enter_override(
                form.cleaned_data["exchanges"], form.terms(), by=request.user, now=timezone.now()
            )
        except OverrideRefused as refusal:
            form.refuse(refusal)
        else:
            names = " and ".join(each.exchange for each in entered)
            day = f"{entered[0].day:%-d %b %Y}"
            messages.success(request, f"{names} on {day}: {entered[0].words}. It holds at once.")
            return redirect("calendar:list")
    return _show(request, form)


@require_POST
@operator_required
def remove(request: UserRequest, override_id: int) -> HttpResponse:
    override = get_object_or_404(ScheduleOverride, pk=override_id)
    remove_override(override, by=request.user, now=timezone.now())
    messages.success(
        request, f"{override.exchange} trades by its calendar on {override.day:%-d %b %Y} again."
    )
    return redirect("calendar:list")


def _show(request: UserRequest, form: OverrideForm) -> HttpResponse:
    context = {
        "form": form,
        "may_enter": request.user.is_staff,
        "overrides": ScheduleOverride.objects.order_by("-day", "exchange"),
        "without_hours": days_without_hours(),
        "changes": ScheduleChange.objects.select_related("by").order_by("-pk")[:_CHANGES_SHOWN],
    }
    return render(request, "calendar/list.html", context)
