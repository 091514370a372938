"""The risk page: states, rules with their distance, violations, and what changes them."""

import uuid
from collections.abc import Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.models import MANAGING_ROLES, TRADING_ROLES
from accounts.permissions import manager_required, operator_required, trader_required
from accounts.reauthentication import (
    ask_for_password,
    is_lately_authenticated,
    reauthentication_required,
)
from brokers.models import TradingAccount
from operations.asking import ask
from operations.installation import doubt_known
from operations.listing import Column, csv_response, list_rows
from risk.board import account_states, plain_figure, rule_rows, stop_rows
from risk.forms import LimitForm, RuleForm, StateForm, ViolationFilter
from risk.models import RiskRule, RiskViolation, RuleType, Trading
from risk.releasing import ReleaseRefused, may_release, release_refusal
from risk.selectors import state_with_reason
from risk.services import (
    RuleInvalid,
    add_rule,
    change_rule,
    release_kill_switch,
    remove_rule,
    set_trading_state,
)
from risk.services.confirming import NotConfirmed, NothingToConfirm, confirm_database
from risk.services.limits import is_looser
from risk.services.switching import Cause, Scope
from risk.stops import STRICTNESS, stops_in_force

VIOLATION_COLUMNS = (
    Column("Time", "time", ("violated_at",)),
    Column("What was refused or stopped"),
    Column("Found", "actual", ("actual_value",), css="num not-phone"),
    Column("Limit", "limit", ("limit_value",), css="num not-phone"),
    Column("Done", "action", ("action_taken",), css="not-phone"),
    Column("Account", "account", ("account__name",), css="not-phone not-laptop"),
)
WORDS = {
    Trading.ACTIVE: "active",
    Trading.REDUCING: "limited to exits",
    Trading.HALTED: "halted",
}
# What is counted has no paise.
COUNTED = (RuleType.MAX_LOTS, RuleType.MAX_ORDERS_PER_DAY)
VIOLATION_FILE = ("At", "Kind", "Message", "Found", "Limit", "Action", "Account", "Instrument")


@require_GET
def overview(request: UserRequest, template: str = "risk/overview.html") -> HttpResponse:
    now = timezone.now()
    stops = stops_in_force(request.workspace)
    chosen = ViolationFilter(request.GET, workspace=request.workspace)
    violations = chosen.narrow(_violations(request))
    context = {
        "states": account_states(request.workspace, stops=stops, now=now),
        "stops": stop_rows(request.workspace, role=request.membership.role),
        "restored": doubt_known(),
        "switch": stops.kill_switch,
        "rules": rule_rows(request.workspace, now=now),
        "choices": Trading.choices,
        "counted": COUNTED,
        "filter": chosen,
        "listing": list_rows(
            violations, columns=VIOLATION_COLUMNS, params=request.GET, default="-time"
        ),
        "may_trade": request.membership.role in TRADING_ROLES,
        "may_manage": request.membership.role in MANAGING_ROLES,
        "now": now,
    }
    return render(request, template, context)


@require_GET
def export_violations(request: UserRequest) -> HttpResponse:
    chosen = ViolationFilter(request.GET, workspace=request.workspace)
    rows = (
        (
            each.violated_at.isoformat(), each.violation_type, each.message, each.actual_value,
            each.limit_value, each.action_taken, each.account.name if each.account else "",
            each.instrument.key if each.instrument else "",
        )
        for each in chosen.narrow(_violations(request)).order_by("-violated_at", "-pk").iterator()
    )  # fmt: skip
    return csv_response("violations", header=VIOLATION_FILE, rows=rows)


@require_GET
@trader_required
def halt(request: UserRequest) -> HttpResponse:
    """Lead to the kill switch, which stands a floor above: it cancels orders as well."""
    return redirect("orders:halt")


@require_http_methods(["GET", "POST"])
@trader_required
@reauthentication_required
def resume(request: UserRequest) -> HttpResponse:
    """Say what goes on again; sent, release the kill switch."""
    if request.method == "GET":
        switch = stops_in_force(request.workspace).kill_switch
        refusal = ""
        if switch is not None and not may_release(switch, request.user):
            refusal = release_refusal(switch)
        return render(request, "risk/resume.html", {"switch": switch, "refusal": refusal})
    reason = request.POST.get("reason", "").strip()
    try:
        is_released = release_kill_switch(
            request.workspace, by=request.user, reason=reason, now=timezone.now()
        )
    except ReleaseRefused as refusal:
        messages.error(request, f"{refusal}.")
        return redirect("risk:overview")
    if is_released:
        messages.success(request, "The kill switch is off. New entries are judged again.")
    else:
        messages.warning(request, "This desk's kill switch was not on.")
    return redirect("risk:overview")


@require_POST
@operator_required
@reauthentication_required
def confirm_restored(request: UserRequest) -> HttpResponse:
    try:
        confirm_database(by=request.user, reason=request.POST.get("reason", ""), now=timezone.now())
    except (NotConfirmed, NothingToConfirm) as error:
        messages.error(request, f"{error}.")
    else:
        messages.success(request, "Confirmed: live entries leave from now on.")
    return redirect("risk:overview")


@require_POST
@trader_required
def set_state(request: UserRequest) -> HttpResponseBase:
    form = StateForm(request.POST, workspace=request.workspace)
    if not form.is_valid():
        messages.error(request, "Choose a state, and an account of this desk.")
        return redirect("risk:overview")
    account, state = form.cleaned_data["account"], Trading(form.cleaned_data["state"])
    if _releases(request, state) and not is_lately_authenticated(request, now=timezone.now()):
        return ask_for_password(request)
    try:
        row = set_trading_state(
            Scope(request.workspace, account=account),
            state,
            cause=Cause(form.cleaned_data["reason"].strip(), by=request.user),
            now=timezone.now(),
        )
    except ReleaseRefused as refusal:
        messages.error(request, f"{refusal}.")
        return redirect("risk:overview")
    words = f"{account or 'The whole desk'} is {WORDS[state]}. {row.cancelled.words}".rstrip()
    messages.success(request, words)
    for reason in _still_stopped(account, state):
        messages.warning(request, reason)
    return redirect("risk:overview")


def _releases(request: UserRequest, state: Trading) -> bool:
    """Tell whether something at this desk is stopped more strictly than the state asks for."""
    states = stops_in_force(request.workspace).states
    return any(STRICTNESS.index(Trading(each.state)) > STRICTNESS.index(state) for each in states)


def _still_stopped(account: TradingAccount | None, state: Trading) -> Iterator[str]:
    """Say what still stops an account that was set less strict than something else holds it."""
    if account is None:
        return
    held, reason = state_with_reason(account)
    if STRICTNESS.index(held) > STRICTNESS.index(state):
        yield f"{account} is still {WORDS[held]}: {reason.rstrip('.')}."


@require_http_methods(["GET", "POST"])
@manager_required
def rule_add(request: UserRequest) -> HttpResponse:
    form = RuleForm(request.POST or None, workspace=request.workspace)
    if form.is_valid():
        try:
            add_rule(request.workspace, form.terms(), by=request.user, now=timezone.now())
        except RuleInvalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The rule is in force.")
            return redirect("risk:overview")
    return render(request, "risk/rule.html", {"form": form})


@require_http_methods(["GET", "POST"])
@manager_required
def rule_edit(request: UserRequest, rule_id: uuid.UUID) -> HttpResponseBase:
    rule = _rule(request, rule_id)
    initial = {
        "rule_value": plain_figure(rule.rule_value),
        "exits_positions": rule.exits_positions,
    }
    form = LimitForm(request.POST or None, initial=initial)
    form.measure(rule.rule_type)
    if form.is_valid():
        loosens = is_looser(form.terms_of(rule), rule)
        if loosens and not is_lately_authenticated(request, now=timezone.now()):
            return ask_for_password(request)
        try:
            change_rule(rule, form.terms_of(rule), by=request.user, now=timezone.now())
        except RuleInvalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, "The new limit is in force.")
            return redirect("risk:overview")
    return render(request, "risk/rule.html", {"form": form, "rule": rule})


@require_http_methods(["GET", "POST"])
@manager_required
@reauthentication_required
def rule_remove(request: UserRequest, rule_id: uuid.UUID) -> HttpResponse:
    """Say what ends with the rule; sent, remove it."""
    rule = _rule(request, rule_id)
    if request.method == "GET":
        return ask(request, "risk/rule_remove.html", {"rule": rule})
    words = rule.get_rule_type_display()
    try:
        remove_rule(rule, by=request.user, now=timezone.now())
    except RuleInvalid as refusal:
        messages.error(request, f"{refusal}.")
    else:
        messages.success(request, f"No longer in force: {words}.")
    return redirect("risk:overview")


def _rule(request: UserRequest, rule_id: uuid.UUID) -> RiskRule:
    mine = RiskRule.objects.manageable_by(request.user).filter(workspace=request.workspace)
    return get_object_or_404(mine.select_related("account", "workspace"), pk=rule_id)


def _violations(request: UserRequest) -> QuerySet[RiskViolation]:
    visible = RiskViolation.objects.visible_to(request.user).filter(workspace=request.workspace)
    return visible.select_related("account", "instrument")
