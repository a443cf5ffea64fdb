"""The upgrade route in a message: one line, and the command that prints the steps."""

from collections.abc import Sequence

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.messages.content import Pointer
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import NO_BREAK, Translation

STEPS = "sudo mastodon-update-check route"


def direct(new: Sequence[UpdateNotice], context: MessageContext) -> tuple[Pointer, ...]:
    """Say what to deploy, in which order, on the way to the newest of these; nothing when that is one release."""
    installed, translation = context.installed, context.translation
    if installed is None:
        return ()
    goal = max(update.version for update in new)
    # What is skipped is not mentioned, but where it has to be passed.
    passed = [one for one in context.knowledge.pending() if one.version.branch != installed.branch]
    known = [one for one in (*context.knowledge.unskipped(), *passed) if one.version <= goal]
    route = find_route(installed, [*known, *new])
    if len(route) == 1:
        return ()
    said = translation.say("The route to {version}, one after the other: {route}.", version=goal, route=draw(route))
    return (point_to_steps(said, route, translation),)


def draw(route: Sequence[str]) -> str:
    """Write `4.5.20 > 4.6.9 > 4.7.6`."""
    return f"{NO_BREAK}> ".join(route)


def point_to_steps(said: str, route: Sequence[str], translation: Translation) -> Pointer:
    """Say the route, what an `x` in it means, and where the steps are."""
    unlisted = any(release.endswith(".x") for release in route)
    newest = translation.say("x is the newest patch of that branch.") if unlisted else ""
    return Pointer(translation.join(said, newest, translation.say("For the steps, run:")), STEPS, is_link=False)
