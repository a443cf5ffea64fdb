"""Messages as a whole: what a sink gets."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.examples import NOW, installed, reminder, support, update, user
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.notices import Notice, SupportStage
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.messages.message import MessageType
from messages.writing import OWNER, body, make_context, minor, patch, write

EVERY_KIND: list[list[Notice]] = [
    [patch("4.5.20")],
    [minor("4.7.6")],
    [patch("4.5.20", urgent=True), minor("4.7.6"), support(SupportStage.TWO_WEEKS)],
    [minor("4.7.6", urgent=True)],
    [patch(f"4.5.{number}") for number in range(20, 50)],
    [support(SupportStage.THREE_MONTHS)],
    [support(SupportStage.TWO_WEEKS)],
    [support(SupportStage.ENDED)],
    [reminder(patch("4.5.20", urgent=True)), reminder(minor("4.7.6"))],
    [reminder(minor("4.7.6"))],
    [installed(patch("4.5.19", urgent=True)), installed(patch("4.5.18", urgent=True))],
    [installed(patch("4.5.18"))],
    [CHECK],
    [RECOVERED],
    [DELIVERY],
    [RESTART],
]


class Document(HTMLParser):
    """The elements, links and text of an HTML document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@pytest.mark.parametrize("notices", EVERY_KIND)
def test_lines_are_short(notices: list[Notice]) -> None:
    """No line of text is longer than 78 characters, but for those that hold a URL."""
    context = make_context([minor(f"4.{number}.0", ends_on=date(2028, 1, 1)) for number in range(5, 30)], "3.5.19")
    lines = write(notices, context).text.splitlines()
    assert [line for line in lines if len(line) > 78 and "://" not in line] == []


@pytest.mark.parametrize("notices", EVERY_KIND)
def test_forms_of_a_message(notices: list[Notice]) -> None:
    """Every word of the text stands in the HTML document, in which nothing runs or is loaded; attempts are equal."""
    message = write(notices)
    document = Document(message.html)
    assert {word for word in message.text.split() if "://" not in word} - {"--"} <= set(document.words)
    assert {"script", "img", "link", "iframe", "form", "object", "embed", "base"}.isdisjoint(document.elements)
    assert not any(name.startswith("on") for name in document.attributes)
    assert all(link.startswith("https://") for link in document.links)
    assert message.subject.split()[0] in document.words
    assert write(notices) == message
    assert (message.id, message.created_at, message.recipient) == ("0f" * 16, NOW, OWNER)


def test_threads() -> None:
    """Messages about one subject share a thread: a release that turns urgent, an outage and its end."""
    plain, urgent = write([patch("4.5.20")]).thread, write([patch("4.5.20", urgent=True)]).thread
    assert re.fullmatch("[0-9a-f]{32}", plain)
    assert plain == urgent != write([patch("4.5.21")]).thread
    assert write([CHECK]).thread == write([RECOVERED]).thread != write([DELIVERY]).thread
    elsewhere = replace(make_context(), instance="other.example")
    assert plain != write([patch("4.5.20")], elsewhere).thread


def test_order_of_notices_does_not_matter() -> None:
    """The same rows make the same message in any order."""
    notices: list[Notice] = [patch("4.5.20", urgent=True), minor("4.7.6"), support(SupportStage.TWO_WEEKS)]
    context = make_context([patch("4.5.20", urgent=True), minor("4.7.6")])
    one, two = write(notices, context), write(notices[::-1], context)
    assert two == one


def test_names_of_devops_users_are_passed_on() -> None:
    """Sinks that show names get those of the DevOps users."""
    context = make_context([patch("4.5.20")], knowledge=ServerState(devops=(user(1, name="ann"), user(2, name="ben"))))
    assert write([patch("4.5.20")], context).devops_users == ("ann", "ben")


def test_types_keep_their_spelling() -> None:
    """Receivers rely on them."""
    assert {str(kind) for kind in MessageType} == {
        *("update.available", "update.reminder", "update.installed", "support.ending", "check.failing"),
        *("check.recovered", "delivery.failing", "restart.due", "migrations.pending", "test"),
    }


HOSTILE = "<b onclick='x()'>\"&amp;</b>"


def test_hostile_texts_are_escaped() -> None:
    """Outside text is shown as it is, and never becomes markup."""
    release = update("4.5.20" + HOSTILE)
    context = make_context([release], installed="4.5.19" + HOSTILE, hostname=HOSTILE)
    messages = [
        write([release], context, replace(OWNER, role=HOSTILE)),
        write([replace(CHECK, detail=HOSTILE)], context),
        write([replace(DELIVERY, sink=HOSTILE, detail=HOSTILE)], context),
        write([replace(RESTART, tree=MastodonVersion.parse("4.5.20" + HOSTILE))], context),
        write([support(SupportStage.TWO_WEEKS)], context),
    ]
    for message in messages:
        document = Document(message.html)
        assert "b" not in document.elements
        assert "onclick" not in document.attributes
        assert HOSTILE.split(maxsplit=1)[0] in " ".join(document.words)


def test_urls_elsewhere_are_not_links() -> None:
    """A URL on another host is shown as text, in full."""
    url = "https://github.com.evil.example/?a=1&b=2"
    release = replace(patch("4.5.20"), release_notes=url)
    message = write([release])
    document = Document(message.html)
    assert url not in document.links
    assert url in document.words
    assert url in message.text
    assert "Release notes" in " ".join(Document(write([patch("4.5.20")]).html).words)


def test_urgent_is_seen() -> None:
    """Urgent messages look so, too; others do not."""
    assert 'class="banner urgent"' in write([patch("4.5.20", urgent=True)]).html
    assert 'class="banner"' in write([patch("4.5.20")]).html


ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "div", "h1", "p"),
    *("ul", "li", "span", "br", "a", "code", "footer"),
}
UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that act instead of being read."""
labels = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@given(labels, labels, st.text(), st.text(), st.booleans())
def test_outside_text_is_escaped(label: str, own: str, detail: str, role: str, urgent: bool) -> None:  # noqa: FBT001
    """Subjects are one line; HTML holds the elements of ours alone; the text can be sent as a mail."""
    release = update(f"4.5.20-{label}", urgent=urgent)
    context = make_context([release], installed=f"4.5.19-{own}")
    for notices in ([release], [replace(CHECK, detail=detail)], [replace(DELIVERY, detail=detail)]):
        message = write(notices, context, replace(OWNER, role=role))
        assert message.subject.isprintable()
        assert Document(message.html).elements <= ELEMENTS
        assert UNSAFE.isdisjoint(map(category, message.text.encode().decode().replace("\n", "")))
        assert body(message)
