"""The import pages: send a file, watch it being read, see which lines were left out and why."""

import uuid

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from accounts.permissions import operator_required
from brokers.registry import UnknownBroker
from market.answering import (
    AnswerRefused,
    UndoRefused,
    answer_import,
    can_undo,
    cancel_import,
    delist_missing,
    undo_import,
)
from market.import_forms import ImportFilter, ImportForm
from market.models import BrokerInstrument, ImportKind, ImportRun
from market.refreshing import ask_for_refresh, lists_of
from market.services import FileRefused, Starter, start_import
from operations.listing import Column, csv_response, list_rows

RUN_COLUMNS = (
    Column("File", "file", ("file_name",)),
    Column("Kind", "kind", ("kind",), css="not-phone"),
    Column("State", "status", ("status", "started_at")),
    Column("Rows", "rows", ("rows_read",), css="num not-phone"),
    Column("Taken", "taken", ("rows_written",), css="num"),
    Column("Left out", "skipped", ("rows_skipped",), css="num"),
    Column("When", "time", ("started_at",), css="not-phone"),
)
MISSING_SHOWN = 20
ISSUE_COLUMNS = (
    Column("Line", "line", ("line",), css="num"),
    Column("What is wrong", "reason", ("reason",)),
    Column("As it stands", css="not-phone"),
)


@require_GET
def import_list(request: UserRequest, template: str = "imports/list.html") -> HttpResponse:
    return _show_list(request, ImportForm(), template=template)


@require_POST
@operator_required
def start(request: UserRequest) -> HttpResponse:
    """Take a file; instruments and prices are the whole house's, so only its operator may."""
    form = ImportForm(request.POST, request.FILES)
    if form.is_valid():
        kind = form.cleaned_data["kind"]
        try:
            run = start_import(
                form.cleaned_data["file"],
                kind=ImportKind(kind) if kind else None,
                by=Starter(request.workspace, request.user),
                now=timezone.now(),
                options=form.options(),
            )
        except FileRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("imports:detail", run.pk)
    return _show_list(request, form, template="imports/list.html")


@require_POST
@operator_required
def refresh_list(request: UserRequest, broker: str) -> HttpResponse:
    """Have a broker's instrument list fetched now."""
    try:
        ask_for_refresh(broker, by=request.user)
    except UnknownBroker as error:
        raise Http404(str(error)) from error
    messages.info(request, "The list is being fetched: this page tells its day once it is in")
    return redirect("imports:list")


@require_GET
def detail(
    request: UserRequest, run_id: uuid.UUID, template: str = "imports/detail.html"
) -> HttpResponse:
    run = get_object_or_404(_runs(request), pk=run_id)
    context = {
        "run": run,
        "listing": list_rows(
            run.issues.all(), columns=ISSUE_COLUMNS, params=request.GET, default="line"
        ),
        "may_import": request.user.is_staff,
        "missing": _missing(run),
        "missing_count": run.missing.count(),
        "can_undo": can_undo(run),
        "now": timezone.now(),
    }
    return render(request, template, context)


@require_POST
def answer(request: UserRequest, run_id: uuid.UUID) -> HttpResponse:
    """Answer what an import asks, and have its file read again."""
    run = get_object_or_404(_runs(request), pk=run_id)
    try:
        choice = request.POST.get("choice", "")
        answer_import(run, choice=choice, by=request.user, now=timezone.now())
    except AnswerRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("imports:detail", run.pk)


@require_POST
def cancel(request: UserRequest, run_id: uuid.UUID) -> HttpResponse:
    """Give up a file that asks."""
    run = get_object_or_404(_runs(request), pk=run_id)
    try:
        cancel_import(run, by=request.user, now=timezone.now())
    except AnswerRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("imports:detail", run.pk)


@require_POST
def delist(request: UserRequest, run_id: uuid.UUID) -> HttpResponse:
    """Agree that what a list lacks is no longer listed."""
    run = get_object_or_404(_runs(request), pk=run_id)
    try:
        count = delist_missing(run, by=request.user, now=timezone.now())
    except AnswerRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{count:,} instruments are no longer listed")
    return redirect("imports:detail", run.pk)


@require_POST
def undo(request: UserRequest, run_id: uuid.UUID) -> HttpResponse:
    """Put back what an import changed."""
    run = get_object_or_404(_runs(request), pk=run_id)
    try:
        undo_import(run, by=request.user, now=timezone.now())
    except UndoRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{run.file_name} is undone: everything is as it was before it")
    return redirect("imports:detail", run.pk)


@require_GET
def export_issues(request: UserRequest, run_id: uuid.UUID) -> HttpResponse:
    run = get_object_or_404(_runs(request), pk=run_id)
    rows = run.issues.order_by("line", "pk").values_list("line", "reason", "raw")
    header = ("Line", "What is wrong", "As it stands")
    return csv_response("lines-left-out", header=header, rows=rows)


def _show_list(request: UserRequest, form: ImportForm, *, template: str) -> HttpResponse:
    chosen = ImportFilter(request.GET)
    context = {
        "form": form,
        "filter": chosen,
        "listing": list_rows(
            chosen.narrow(_runs(request)),
            columns=RUN_COLUMNS,
            params=request.GET,
            default="-time",
        ),
        "may_import": request.user.is_staff,
        "lists": lists_of(request.workspace, at=timezone.now()),
    }
    return render(request, template, context)


def _missing(run: ImportRun) -> QuerySet[BrokerInstrument]:
    rows = run.missing.select_related("instrument").order_by("instrument__key")
    return rows[:MISSING_SHOWN]


def _runs(request: UserRequest) -> QuerySet[ImportRun]:
    """The workspace's own, and for operators those that the installation started itself."""
    own = Q(workspace=request.workspace)
    shown = own | Q(workspace=None) if request.user.is_staff else own
    return ImportRun.objects.filter(shown).select_related("started_by")
