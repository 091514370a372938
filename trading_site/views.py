"""The home page, the parts of the shell that refresh alone, and what everybody may see."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.views import safe_next
from brokers.scope import SCOPE_KEY
from trading_site.home import Home
from trading_site.middleware import PageRequest

HOME_PARTS = ("hero", "positions", "orders", "strategies", "alerts", "brokers")
SHELL_PARTS = {
    "bell": "shell/_bell.html",
    "bands": "shell/_bands.html",
    "halt": "shell/_halt_button.html",
}


@require_GET
def home(request: PageRequest) -> HttpResponse:
    return render(request, "home/home.html", {"home": Home(request.shell, is_whole=True)})


@require_GET
def home_part(request: PageRequest, name: str) -> HttpResponse:
    """Answer one part of the home page, as it asks for itself when its news comes."""
    if name not in HOME_PARTS:
        raise Http404(f"The home page has no part {name}")
    return render(request, f"home/_{name}.html", {"home": Home(request.shell)})


@require_GET
def shell_part(request: PageRequest, name: str) -> HttpResponse:
    if name not in SHELL_PARTS:
        raise Http404(f"The shell has no part {name}")
    return render(request, SHELL_PARTS[name])


@require_GET
def more(request: PageRequest) -> HttpResponse:
    """All pages and one's own settings, for a phone without the rail."""
    return render(request, "shell/more.html")


@require_POST
def choose_scope(request: PageRequest) -> HttpResponse:
    """Remember which accounts the pages speak of; what is not on the menu is ignored."""
    wanted = request.POST.get("scope", "")
    if wanted in {scope.value for scope in request.shell.scopes}:
        request.session[SCOPE_KEY] = wanted
    return redirect(safe_next(request))


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this where no page names an icon, as for Django's admin or a download."""
    return redirect(static("mark.svg"))
