"""The subjects of `explain` and `retry`."""

import pytest

from mastodon_update_check.domain.explain_target import read_asked
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import UsageError

SINKS = ("email", "log", "webhook", "webhook.ops", "bob")
NAMES = ("Alice", "bob")
ALICE = Recipient(sink="email", key="user:1", address="Alice@social.example", name="Alice")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        pytest.param("4.5.20", "subject", "update/4.5.20", id="a release"),
        pytest.param(" v4.5.20 ", "subject", "update/4.5.20", id="as its tag"),
        pytest.param("4.5", "subject", "support/4.5", id="a branch"),
        pytest.param("Ops@Social.example", "address", "ops@social.example", id="an address"),
        pytest.param("ALICE", "name", "alice", id="a user"),
        pytest.param("@alice", "name", "alice", id="a user as Mastodon calls them"),
        pytest.param("@alice@social.example", "name", "alice", id="the same with the server"),
        pytest.param("@bob", "name", "bob", id="a user who is called as a sink is"),
        pytest.param("Webhook", "sink", "webhook", id="a sink"),
        pytest.param("webhook.ops", "sink", "webhook.ops", id="one webhook of several"),
    ],
)
def test_kinds(text: str, kind: str, value: str) -> None:
    """Each is known by its form, or by its name."""
    assert getattr(read_asked(text, SINKS, NAMES), kind) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("nobody", "'nobody' is not known here", id="unknown name"),
        pytest.param("", "'' is not known here", id="nothing"),
        pytest.param("@", "'@' is not known here", id="no name"),
        pytest.param("4.5.x", "'4.5.x' is not known here", id="no version"),
        pytest.param("a\x1b[31m\nb", "'a [31m b' is not known here", id="what would colour the terminal"),
    ],
)
def test_nonsense(text: str, words: str) -> None:
    """An unknown subject is an error that says how to name it."""
    with pytest.raises(UsageError) as error:
        read_asked(text, SINKS, NAMES)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    ("text", "recipient", "addresses", "is_meant"),
    [
        pytest.param("alice@social.example", ALICE, (), True, id="by address, in any case"),
        pytest.param("old@social.example", ALICE, ("old@social.example",), True, id="by an address from before"),
        pytest.param("alice", ALICE, (), True, id="by name"),
        pytest.param("email", ALICE, (), True, id="by sink"),
        pytest.param("webhook", Recipient(sink="webhook.ops", key="webhook:1"), (), True, id="one of several webhooks"),
        pytest.param("webhook.ops", Recipient(sink="webhook", key="webhook:2"), (), False, id="another webhook"),
        pytest.param("4.5.20", ALICE, (), False, id="a release is not a person"),
        pytest.param("x@social.example", Recipient(sink="log", key="sink:log"), (), False, id="a sink has no address"),
    ],
)
def test_recipients_of_a_subject(text: str, recipient: Recipient, addresses: tuple[str, ...], is_meant: bool) -> None:  # noqa: FBT001
    """A person is the same by name and by each address that they had."""
    assert read_asked(text, SINKS, NAMES).means(recipient, addresses) == is_meant
