"""A trader at the pages, without script: reads what a page says, fills in its forms, follows."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol

from django.test import Client


class Answer(Protocol):
    status_code: int

    @property
    def content(self) -> bytes: ...


@dataclass
class Form:
    """One form as the page offers it: where it goes, and what it sends when nothing is typed."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What a page says: its words, those around them (watchlist, bands), rows, links, forms."""

    address: str
    status: int
    text: str = ""
    around: str = ""
    rows: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)

    def says(self, *words: str) -> None:
        """:raises AssertionError: showing the page, when it lacks any of the words."""
        for each in words:
            assert each in self.text, f"{self.address} does not say “{each}”: {self.text}"

    def row(self, *words: str) -> str:
        """Return the first table row with all of the words.

        :raises AssertionError: showing the rows, when there is none.
        """
        found = [row for row in self.rows if all(each in row for each in words)]
        assert found, f"{self.address} has no row with {words}: {self.rows}"
        return found[0]

    def form(self, action: str) -> Form:
        """:raises AssertionError: naming the forms there are, when none goes there."""
        found = [form for form in self.forms if form.action == action]
        assert found, f"{self.address} has no form to {action}: {[f.action for f in self.forms]}"
        return found[0]


@dataclass
class Trader:
    """Somebody signed in, with one page open at a time."""

    client: Client

    def read(self, address: str, **asked: str) -> Page:
        return _page(self.client.get(address, asked, follow=True), address)

    def press(self, page: Page, action: str = "", **typed: str) -> Page:
        """Send a form of the page as it stands, with what was typed into it; follow the answer."""
        form = page.form(action or page.address)
        unknown = typed.keys() - form.fields.keys()
        assert not unknown, f"The form to {form.action} has no {unknown}"
        answer = self.client.post(form.action, {**form.fields, **typed}, follow=True)
        return _page(answer, form.action)


def _page(answer: Answer, address: str) -> Page:
    hops = getattr(answer, "redirect_chain", [])
    reader = _Reader(Page(hops[-1][0] if hops else address, answer.status_code))
    reader.feed(answer.content.decode())
    reader.page.text, reader.page.around = joined(reader.words), joined(reader.around)
    return reader.page


def joined(words: list[str]) -> str:
    return " ".join(" ".join(words).split())


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.words: list[str] = []
        self.around: list[str] = []
        self._is_main = False
        self._form: Form | None = None
        self._select = ""
        self._row: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        match tag:
            case "main":
                self._is_main = True
            case "form":
                action = told.get("action") or self.page.address
                self._form = Form(action, told.get("method", "get"))
                self.page.forms.append(self._form)
            case "tr":
                self._row = len(self.words)
            case "a":
                self.page.addresses.append(told.get("href", ""))
            case "select":
                self._select = told.get("name", "")
            case "input" | "option" | "textarea":
                self._take_field(tag, told)

    def _take_field(self, tag: str, told: dict[str, str]) -> None:
        name = self._select if tag == "option" else told.get("name", "")
        if self._form is None or not name:
            return
        fields = self._form.fields
        if tag == "option":
            if "selected" in told or name not in fields:
                fields[name] = told.get("value", "")
        elif told.get("type") not in ("radio", "checkbox") or "checked" in told:
            fields[name] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._is_main = False
        elif tag == "form":
            self._form = None
        elif tag == "tr" and self._row is not None:
            self.page.rows.append(joined(self.words[self._row :]))
            self._row = None

    def handle_data(self, data: str) -> None:
        (self.words if self._is_main else self.around).append(data)
