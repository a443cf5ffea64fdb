"""The status page: one HTML file without scripts.

It names no people and no addresses, and every outside text is escaped.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import urlsplit

from mastodon_update_check.domain.server.problems import CheckDay, fill_days
from mastodon_update_check.domain.server.status import HEADLINES, describe_skip
from mastodon_update_check.domain.text import minute
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.content import MessageContext, Releases
from mastodon_update_check.messages.release_details import write_details
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, describe_release, order_updates
from mastodon_update_check.messages.rendering import render_html_block
from mastodon_update_check.monitoring.details import list_details
from mastodon_update_check.monitoring.status import StatusReport, describe_status

_SLACK = timedelta(minutes=5)
"""How long after its time a check may end before the page counts as out of date."""
_SHORTEST = timedelta(seconds=30)
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_BAR, _STEP, _HEIGHT = 8, 10, 40


def public_status(report: StatusReport) -> Mapping[str, Any]:
    """Return the form of `status --json` without names of people and addresses, which replies may hold."""
    hide_people = _without_people(report)

    def hide(value: object) -> object:
        if isinstance(value, str):
            return hide_people(value)
        if isinstance(value, Mapping):
            return {key: hide(each) for key, each in value.items()}
        return [hide(each) for each in value] if isinstance(value, list | tuple) else value

    status = describe_status(report)
    return {**status, **{key: hide(status[key]) for key in ("reasons", "failure", "warnings", "sinks")}}


def _without_people(report: StatusReport) -> Callable[[str], str]:
    names = sorted({user.name for user in report.known.devops if user.name}, key=len, reverse=True)
    people = re.compile("|".join((_ADDRESS.pattern, *(rf"\b{re.escape(name)}\b" for name in names))), re.IGNORECASE)
    return lambda text: people.sub("…", hide_secrets(text))


def render_page(report: StatusReport, json_name: str = "index.json", reload_name: str = "index-reload.html") -> str:
    """Return the page.

    `reload_name` is the same page under another name. An open window goes back and forth between the two, each time to
    the anchor of the page that it showed before. If that anchor is still there, then the page has not been replaced. (A
    browser does not load the same address again.)
    """
    settings, now, level = report.settings, report.now, report.verdict.level
    valid_for = max(settings.interval, _SHORTEST) * 1.1 + min(_SLACK, settings.interval)
    seconds = str(int(valid_for.total_seconds()))
    style = Template(_read("page.css")).substitute(stale_seconds=seconds)
    hide, headline = _without_people(report), HEADLINES[level].capitalize()
    off = (f"checking is off: {settings.off_reason}",) if settings.off_reason else ()
    sentences = (hide(one) for one in (*report.verdict.sentences, *off))
    reasons = "\n".join(f"<li>{escape(one[:1].upper() + one[1:])}.</li>" for one in sentences)
    validity = "The daemon was not running then: this page stays as it is until the next check."
    if report.is_alive:  # without scripts the page cannot compare its time with that when it is opened
        due = minute(now + valid_for)
        validity = f"A later one follows by {due}; after that, this page is out of date."
    values = {
        "style": style,
        "style_hash": b64encode(sha256(style.encode()).digest()).decode(),
        "stale_seconds": seconds,
        "reload_name": escape(reload_name),
        "generation": f"written-{now:%Y%m%dT%H%M%S%f}",
        "title": escape(f"{headline}: {settings.instance}"),
        "instance": escape(settings.instance),
        "headline": headline,
        "level": level.name.lower(),
        "reasons": f'<ul class="reasons">\n{reasons}\n</ul>' if reasons else "",
        "facts": "\n".join(
            f"<div><dt>{label}</dt><dd>{escape(hide(text))}</dd></div>"
            for label, text in list_details(report, minute, is_public=True)
        ),
        "updates": _render_updates(report),
        "chart": _draw(fill_days(report.known.days, now.date())),
        "written": minute(now),
        "validity": validity,
        "json_name": escape(json_name),
    }
    return Template(_read("page.html")).substitute(values)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _render_updates(report: StatusReport) -> str:
    """Render the pending releases, each with what is known of it, as a mail does."""
    known, settings = report.known, report.settings
    context = MessageContext(
        instance=settings.instance,
        knowledge=known,
        now=report.now,
        hostname="",
        update_host=urlsplit(settings.url or "").hostname or "",
        install_kind=settings.install_kind,
    )
    parts: list[str] = []
    for update in order_updates(known.pending(), context.branch)[:RELEASES_SHOWN]:
        row = describe_release(update, "", context)
        row = replace(row, note=describe_skip(update, known) or row.note)
        parts += map(render_html_block, (Releases((row,)), *write_details(update, context)))
    return "\n".join(("<section>\n<h2>Pending releases</h2>", *parts, "</section>")) if parts else ""


def _draw(days: Sequence[CheckDay]) -> str:
    """Draw a bar for each day: its colour says how many checks worked."""
    bars = "\n".join(
        f'<rect class="{_judge(day)}" x="{number * _STEP}" width="{_BAR}" height="{_HEIGHT}" rx="2">'
        f"<title>{day.date}: {day.successful} successful, {day.failed} failed</title></rect>"
        for number, day in enumerate(days)
    )
    successful, failed = sum(day.successful for day in days), sum(day.failed for day in days)
    summary = f"{successful} successful, {failed} failed"
    width = len(days) * _STEP - (_STEP - _BAR)
    return (
        f'<svg viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{summary}">\n{bars}\n'
        f'</svg>\n<p class="quiet">{summary}</p>'
    )


def _judge(day: CheckDay) -> str:
    if day.successful == day.failed == 0:
        return "none"
    if day.failed == 0:
        return "good"
    return "some" if day.successful else "bad"
