"""The subjects of `explain` and `retry`."""

import pytest

from domain.examples import cases
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import UsageError
from mastodon_update_check.jobs.explain import read_asked

SINKS = ("email", "log", "webhook", "webhook.ops", "bob")
NAMES = ("Alice", "bob")
ALICE = Recipient(sink="email", key="user:1", address="Alice@social.example", name="Alice")


@cases(
    "text kind value",
    ("a release", "4.5.20", "subject", "update/4.5.20"),
    ("as its tag", " v4.5.20 ", "subject", "update/4.5.20"),
    ("a branch", "4.5", "subject", "support/4.5"),
    ("an address", "Ops@Social.example", "address", "ops@social.example"),
    ("a user", "ALICE", "name", "alice"),
    ("a user as Mastodon calls them", "@alice", "name", "alice"),
    ("the same with the server", "@alice@social.example", "name", "alice"),
    ("a user who is called as a sink is", "@bob", "name", "bob"),
    ("a sink", "Webhook", "sink", "webhook"),
    ("one webhook of several", "webhook.ops", "sink", "webhook.ops"),
)
def test_kinds(text: str, kind: str, value: str) -> None:
    """Each is known by its form, or by its name."""
    assert getattr(read_asked(text, SINKS, NAMES), kind) == value


@cases(
    "text words",
    ("unknown name", "nobody", "'nobody' is not known here"),
    ("nothing", "", "'' is not known here"),
    ("no name", "@", "'@' is not known here"),
    ("no version", "4.5.x", "'4.5.x' is not known here"),
    ("what would colour the terminal", "a\x1b[31m\nb", "'a [31m b' is not known here"),
)
def test_nonsense(text: str, words: str) -> None:
    """An unknown subject is an error that says how to name it."""
    with pytest.raises(UsageError) as error:
        read_asked(text, SINKS, NAMES)
    assert str(error.value).startswith(words)


@cases(
    "text recipient addresses is_meant",
    ("by address, in any case", "alice@social.example", ALICE, (), True),
    ("by an address from before", "old@social.example", ALICE, ("old@social.example",), True),
    ("by name", "alice", ALICE, (), True),
    ("by sink", "email", ALICE, (), True),
    ("one of several webhooks", "webhook", Recipient(sink="webhook.ops", key="webhook:1"), (), True),
    ("another webhook", "webhook.ops", Recipient(sink="webhook", key="webhook:2"), (), False),
    ("a release is not a person", "4.5.20", ALICE, (), False),
    ("a sink has no address", "x@social.example", Recipient(sink="log", key="sink:log"), (), False),
)
def test_recipients_of_a_subject(text: str, recipient: Recipient, addresses: tuple[str, ...], is_meant: bool) -> None:  # noqa: FBT001
    """A person is the same by name and by each address that they had."""
    assert read_asked(text, SINKS, NAMES).means(recipient, addresses) == is_meant
