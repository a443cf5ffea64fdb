"""Every kind of message in every language."""

import re
from collections.abc import Iterator
from dataclasses import replace
from gettext import NullTranslations
from unicodedata import east_asian_width

import pytest

from domain.examples import hook, user
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.translation import ENGLISH, Translation
from mastodon_update_check.translations import load_translation
from messages.writing import make_context, patch, write
from translations.catalogues import extract, forms
from translations.letters import KINDS, LANGUAGES, Kind, compose_kind, letter

EVERY = [
    pytest.param(kind, language, id=f"{name}-{language}") for name, kind in KINDS.items() for language in LANGUAGES
]
GERMAN = load_translation("de")


class Loud(NullTranslations):
    """A language of capitals, which is seen at once, and which knows what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[tuple[str | None, str]] = set()

    def gettext(self, message: str) -> str:
        return self._cry(None, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._cry(None, msgid1) if n == 1 else self._cry(None, msgid1) and self._cry(None, msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._cry(context, message)

    def _cry(self, context: str | None, message: str) -> str:
        self.asked.add((context, message))
        return re.sub(r"(\{\w+\})|([^{}]+)", lambda found: found[1] or found[2].upper(), message)


class Partly(NullTranslations):
    """German without one sentence, or with another in its place."""

    def __init__(self, lacking: str, instead: str = "") -> None:
        super().__init__()
        self._lacking = lacking
        self._instead = instead

    def gettext(self, message: str) -> str:
        if message == self._lacking:
            if not self._instead:
                raise UntranslatedError(message)
            return self._instead
        return GERMAN.translator.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return GERMAN.translator.ngettext(msgid1, msgid2, n)

    def pgettext(self, context: str, message: str) -> str:
        return GERMAN.translator.pgettext(context, message)


def columns(line: str) -> int:
    """Return how wide a terminal shows a line."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in line)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_in_every_language(kind: Kind, language: str) -> None:
    """It is wholly in that language, says so, keeps to a terminal's width, and has all its gaps filled."""
    message = letter(kind, language)
    assert (message.language, f'<html lang="{language}">' in message.html) == (language, True)
    assert message.subject.isprintable()
    assert "\u00a0" not in message.subject + message.text
    assert [line for line in message.text.splitlines() if columns(line) > 78 and "://" not in line] == []
    assert not re.search(r"\{\w*\}", message.subject + message.text)
    assert message.text != letter(kind, "en").text or language == "en"
    assert message.payload == letter(kind, "en").payload


def shouted(kind: Kind, loud: Loud, preference: Preference = Preference.CRITICAL, role: str = "") -> str:
    """Return a message in the loud language, without what comes from elsewhere."""
    context = replace(kind.context, translation=Translation("xx", loud))
    wants = preference is not Preference.NONE
    recipient = user(preference=preference, role=role, locale="xx", wants_support=wants, is_operator=wants)
    message = compose_kind(kind, context, recipient)
    assert message.language == "xx"
    text = re.sub(
        r"https?://\S+|sudo [\w. -]+|ben|ann|certificate verify failed|ID 0f\w+|(GHSA|CVE)-.*",
        "",
        message.subject + message.text,
    )
    return re.sub(
        r"social\.example|webhook\.ops|webhook|web1|\d[\w.+-]*|UPDATE_CHECK_INTERVAL: not a duration"
        r"|RAILS_ENV=.*|mastodon-[\w.]+|Ruby|PostgreSQL|Redis|Node\.js|(bundle|yarn)\s+install",
        "",
        text,
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_nothing_is_left_in_english(kind: Kind) -> None:
    """Every word comes from the catalogue."""
    assert re.findall(r"[a-z]{2,}", shouted(kind, Loud())) == []


def test_these_kinds_say_everything() -> None:
    """The kinds use every sentence of the catalogues."""
    loud = Loud()
    for kind in KINDS.values():
        for context in _variants(kind):
            for preference in Preference:
                shouted(replace(kind, context=context), loud, preference, role="" if preference == "all" else "Owner")
    for month in range(1, 13):
        words = Translation("xx", loud)
        words.instant(kind.context.now.replace(month=month, day=month))
    sentences = {(one.context, forms(one.id)[0]) for one in extract()}
    assert set() == sentences - loud.asked


def _variants(kind: Kind) -> Iterator[MessageContext]:
    yield kind.context
    yield replace(kind.context, web_domain="", has_admin_page=False)
    yield replace(kind.context, knowledge=replace(kind.context.knowledge, installed=None))


def test_a_message_is_wholly_in_one_language() -> None:
    """Where one sentence is lacking the whole message is English, and the next one is not."""
    kind, lacking = KINDS["patch-urgent"], "It is a patch of your branch: no need to go to {branch} for it."
    words = Translation("de", Partly(lacking))
    message = write(kind.notices, replace(kind.context, translation=words), user(locale="de"))
    assert message.text == _english(kind)
    assert (message.language, message.subject.startswith("URGENT [")) == ("en", True)
    other = write(KINDS["restart"].notices, replace(KINDS["restart"].context, translation=words), user(locale="de"))
    assert other.language == "de"


def _english(kind: Kind) -> str:
    return write(kind.notices, replace(kind.context, translation=ENGLISH), user(locale="de")).text


@pytest.mark.parametrize("wrong", ["Alles {neu}:", "Alles {:", "Alles {}:", "Alles {0.real.x}:"])
def test_gaps_that_cannot_be_filled(wrong: str) -> None:
    """A translation with unknown placeholders makes the message English, and it is sent."""
    context = make_context([patch("4.5.20")], translation=Translation("de", Partly("All pending updates:", wrong)))
    message = write([patch("4.5.20")], context, user(locale="de"))
    assert (message.language, "All pending updates:" in message.text) == ("en", True)


def test_addresses_and_sinks_are_notified_in_english() -> None:
    """Only users have a language."""
    kind = KINDS["patch"]
    for recipient in (hook(), replace(user(), key="address:ops@social.example")):
        assert write(kind.notices, kind.context, recipient).language == "en"
