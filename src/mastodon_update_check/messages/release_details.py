"""The part of a message that says what a release fixes, what it requires and what the upgrade takes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.release_details import ReleaseDetails, Requirement, UpgradeStep
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.messages.content import Block, Details, MessageContext, Paragraph
from mastodon_update_check.messages.rendering import fill
from mastodon_update_check.messages.translation import ENGLISH, Translation

FIXES_SHOWN = 8
LINES_ADDED = 8
_LINES_REPLACED = 2
"""Of the warning in the message about an urgent release."""
_IDS_SHOWN = 2
_IN_IMAGES = frozenset({"Ruby", "Node.js"})
"""Requirements that container images bring along."""
_BY_PACKAGE = frozenset({InstallKind.YUNOHOST, InstallKind.NIXOS})
"""Installations whose package takes all the steps."""


def write_details(update: UpdateNotice, context: MessageContext) -> tuple[Block, ...]:
    """Return what is known of a release; of an urgent one also what is not."""
    details, translation = context.knowledge.details_of(update.version), context.translation
    if details is None or (details.fixes is None and details.requires is None):
        return _without_fixes(update, translation)
    sentences = describe_upgrade(details, context.install_kind, translation)
    if details.fixes is None:
        return (*_without_fixes(update, translation), *([Details(sentences=tuple(sentences))] if sentences else []))
    # Fixes are shown for which there is room; without the warning there is a blank line before the details.
    lines = LINES_ADDED + (_LINES_REPLACED if update.urgent else -1)
    used = 1 + sum(len(fill(sentence).splitlines()) for sentence in sentences)
    title, rows = _fixes(details, max(min(lines - used, FIXES_SHOWN), 1), translation)
    return (Details(title=title, fixes=rows, sentences=tuple(sentences)),)


def describe_upgrade(
    details: ReleaseDetails, kind: InstallKind | None, translation: Translation = ENGLISH
) -> Sequence[str]:
    """Return what the release requires, and what the upgrade takes; nothing where a package takes all the steps."""
    named = [
        _name_requirement(one, translation)
        for one in details.requires or ()
        if not (kind is InstallKind.DOCKER and one.name in _IN_IMAGES)
    ]
    requires = translation.say("Requires {requirements}.", requirements=translation.enumerate(named)) if named else ""
    if kind in _BY_PACKAGE:
        upgrade = ""
    elif kind is InstallKind.DOCKER:
        upgrade = _upgrade_containers(details.steps.get(UpgradeStep.MIGRATIONS), translation)
    else:
        upgrade = _upgrade(details, translation)
    return [*filter(None, (requires, upgrade))]


def _without_fixes(update: UpdateNotice, translation: Translation) -> tuple[Paragraph, ...]:
    """Say what the feed leaves open about an urgent release."""
    if not update.urgent:
        return ()
    text = translation.say(
        "The update server does not say what is fixed, or whether only containers are affected: read the release "
        "notes. When you install it, restart Sidekiq too."
    )
    return (Paragraph(text),)


def _fixes(details: ReleaseDetails, shown: int, translation: Translation) -> tuple[str, tuple[Fix, ...]]:
    fixes = details.fixes or ()
    texts = [fix.text.removeprefix("Fix ") for fix in fixes[:shown]]
    rows = tuple(
        replace(fix, text=text[:1].upper() + text[1:], ids=fix.ids[:_IDS_SHOWN])
        for fix, text in zip(fixes, texts, strict=False)
    )
    number, left = len(fixes), len(fixes) - len(rows)
    say, count = (partial(one, version=details.version) for one in (translation.say, translation.count))
    if not fixes:
        title = say("The changelog of {version} lists no security fixes.")
    elif details.is_container_only:
        title = count(
            "{version} fixes {number} security issue, only in the container images:",
            "{version} fixes {number} security issues, only in the container images:",
            number,
        )
    elif left:
        title = say("{version} fixes {number} security issues, these and {left} more:", number=number, left=left)
    else:
        title = count("{version} fixes {number} security issue:", "{version} fixes {number} security issues:", number)
    return title, rows


def _name_requirement(one: Requirement, translation: Translation) -> str:
    values = {"name": one.name, "minimum": one.minimum, "found": one.found}
    if one.is_met is None:
        return translation.label("requirement", "{name} {minimum}", **values)
    if one.is_met:
        return translation.say("{name} {minimum} (yours is {found})", **values)
    return translation.say("{name} {minimum} (yours is {found}: upgrade it first)", **values)


def _upgrade(details: ReleaseDetails, translation: Translation) -> str:
    left_out = _name_steps([step for step in UpgradeStep if details.steps.get(step) is False], translation)
    unknown = _name_steps(details.unknown, translation)
    return translation.join(
        _needed(details, translation),
        translation.say("Not needed: {steps}.", steps=left_out) if left_out else "",
        translation.say("Unknown, see the release notes: {steps}.", steps=unknown) if unknown else "",
        translation.say("Asset build: only if app/javascript has changed.") if details.asks_front_end else "",
    )


def _needed(details: ReleaseDetails, translation: Translation) -> str:
    is_streaming_restarted = UpgradeStep.RESTART_STREAMING in details.needed
    steps = _name_steps(details.needed[: -1 if is_streaming_restarted else None], translation, details.ruby)
    say = partial(translation.say, steps=steps)
    if not (details.needed or details.unknown):
        return say("A restart is enough: Sidekiq and web.")
    if steps and is_streaming_restarted:
        return say("To upgrade: {steps}; then restart Sidekiq, web and streaming.")
    if steps:
        return say("To upgrade: {steps}; then restart Sidekiq and web.")
    if is_streaming_restarted:
        return say("To upgrade, restart Sidekiq, web and streaming.")
    return say("To upgrade, restart Sidekiq and web.")


def _name_steps(steps: Sequence[UpgradeStep], translation: Translation, ruby: str = "") -> str:
    names = {
        UpgradeStep.RUBY: f"Ruby {ruby}" if ruby else "",
        UpgradeStep.BUNDLE_INSTALL: "bundle install",
        UpgradeStep.YARN_INSTALL: "yarn install",
        UpgradeStep.ASSETS: translation.label("upgrade step", "asset build"),
        UpgradeStep.MIGRATIONS: translation.label("upgrade step", "migrations"),
        UpgradeStep.RESTART_STREAMING: translation.label("upgrade step", "restart of streaming"),
    }
    return translation.enumerate([names[step] for step in steps if names.get(step)])


def _upgrade_containers(migrations: bool | None, translation: Translation) -> str:  # noqa: FBT001 - one of three states
    if migrations:
        return translation.say("To upgrade: new images, migrations, and a restart of all containers.")
    if migrations is None:
        return translation.say("To upgrade: new images and a restart of all containers; for migrations see the notes.")
    return translation.say("To upgrade: new images and a restart of all containers; there are no migrations.")
