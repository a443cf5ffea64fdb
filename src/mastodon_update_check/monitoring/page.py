"""The status page: one HTML file without scripts, rendered from the form of `status --json`.

It names no people and no addresses, and every outside text is escaped.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from mastodon_update_check.domain.server.check_days import CheckDay, fill_days
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.release_parts import may_link
from mastodon_update_check.monitoring.status import StatusReport, describe_status

FIXES_SHOWN = 8
_SLACK = timedelta(minutes=5)
"""How long after its time a check may end before the page counts as out of date."""
_SHORTEST = timedelta(seconds=30)
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_BAR, _STEP, _HEIGHT = 8, 10, 40
_HEADLINES = {
    "ok": "Nothing to do",
    "warning": "Needs attention soon",
    "critical": "Action needed",
    "unknown": "The state is not known",
}


def public_status(report: StatusReport) -> Mapping[str, Any]:
    """Return the form of `status --json` without names of people and addresses, which replies may hold."""
    names = sorted({user.name for user in report.known.devops if user.name}, key=len, reverse=True)
    people = re.compile("|".join((_ADDRESS.pattern, *(rf"\b{re.escape(name)}\b" for name in names))))

    def hide(value: object) -> object:
        if isinstance(value, str):
            return people.sub("…", value)
        if isinstance(value, Mapping):
            return {key: hide(each) for key, each in value.items()}
        return [hide(each) for each in value] if isinstance(value, list | tuple) else value

    status = describe_status(report)
    hidden = {key: hide(status[key]) for key in ("reasons", "failure", "warnings", "sinks")}
    return {**status, **hidden}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """Everything that the page is rendered from, but the status."""

    now: datetime
    interval: timedelta
    """The time between checks; the page is out of date when it has not been replaced after it."""
    update_host: str
    """The update server, to whose pages links may lead."""
    json_name: str = "index.json"
    reload_name: str = "index-reload.html"
    """The same page under another name.

    An open window goes back and forth between the two, each time to the anchor of the page that it showed before. If
    that anchor is still there, then the page has not been replaced. (A browser does not load the same address again.)
    """


def render_page(status: Mapping[str, Any], around: PageContext) -> str:
    """Return the page for the form of `status --json`."""
    now = around.now
    valid_for = max(around.interval, _SHORTEST) * 1.1 + min(_SLACK, around.interval)
    seconds = str(int(valid_for.total_seconds()))
    style = Template(_read("page.css")).substitute(stale_seconds=seconds)
    level = status["level"]
    values = {
        "style": style,
        "style_hash": b64encode(sha256(style.encode()).digest()).decode(),
        "stale_seconds": seconds,
        "reload_name": escape(around.reload_name),
        "generation": f"written-{now:%Y%m%dT%H%M%S%f}",
        "title": escape(f"{_HEADLINES[level]}: {status['instance']}"),
        "instance": escape(status["instance"]),
        "headline": _HEADLINES[level],
        "level": level,
        "reasons": _list("reasons", (escape(_sentence(reason)) for reason in status["reasons"])),
        "facts": "\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _facts(status)),
        "updates": _render_updates(status, around.update_host),
        "chart": _draw(fill_days(status["days"], now.date())),
        "written": f"{now:%Y-%m-%d %H:%M} UTC",
        "validity": _describe_validity(now + valid_for, is_alive=status["alive"]),
        "json_name": escape(around.json_name),
    }
    return Template(_read("page.html")).substitute(values)


def _describe_validity(due: datetime, *, is_alive: bool) -> str:
    """Say until when the page counts: without scripts it cannot compare that with the time when it is opened."""
    if is_alive:
        return f"A later one follows by {due:%Y-%m-%d %H:%M} UTC; after that, this page is out of date."
    return "The daemon was not running then: this page stays as it is until the next check."


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _facts(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the names and values of the table, as HTML."""
    yield "Installed", escape(status["installed_version"] or "not known")
    support = status["support"]
    if support:
        yield "Support", escape(f"{support['branch']} until {support['end_of_support']}")
    if status["route"]:
        yield "Upgrade route", escape(" → ".join((status["installed_version"], *status["route"])))
    yield "Last check", _instant(status["last_check_at"]) + _describe_failure(status)
    if status["failing_since"]:
        yield "Last good check", _instant(status["last_good_check_at"])
    if status["checking_off"]:
        yield "Checking is off", escape(status["checking_off"])
    for warning in status["warnings"]:
        yield "Warning", escape(warning)
    yield "Undelivered", "<br>".join(_describe_outbox(status))
    yield "Daemon", "running" if status["alive"] else '<span class="urgent">not running</span>'


def _instant(text: str | None) -> str:
    if text is None:
        return "never"
    return f'<time datetime="{escape(text)}">{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC</time>'


def _describe_failure(status: Mapping[str, Any]) -> str:
    if not status["failing_since"]:
        return ""
    since = _instant(status["failing_since"])
    return f', <span class="urgent">failing since {since}</span>: {escape(status["failure"] or "")}'


def _describe_outbox(status: Mapping[str, Any]) -> Iterator[str]:
    if not status["undelivered"]:
        yield "nothing"
        return
    since = f", the oldest since {_instant(status['undelivered_since'])}" if status["undelivered_since"] else ""
    yield f"{status['deferred']} deferred, {status['failed']} refused{since}"
    for sink in status["sinks"]:
        if sink["undelivered"] and sink["reply"]:
            yield f'<span class="quiet">{escape(sink["name"])}: {escape(sink["reply"])}</span>'


def _render_updates(status: Mapping[str, Any], update_host: str) -> str:
    if not status["updates"]:
        return ""
    items = ("<br>".join(_describe_update(update, status["skipped"], update_host)) for update in status["updates"])
    return f"<section>\n<h2>Pending releases</h2>\n{_list('updates', items)}\n</section>"


def _describe_update(update: Mapping[str, Any], skips: Sequence[str], update_host: str) -> Iterator[str]:
    skipped = "skipped" if update["version"] in skips else ""
    urgent = '<span class="urgent">urgent</span>' if update["urgent"] else ""
    labels = (urgent, escape(update["type"] or ""), skipped)
    yield f'<span class="version">{escape(update["version"])}</span> {", ".join(label for label in labels if label)}'
    url = update["release_notes"]
    if url and may_link(url, update_host):
        yield f'<a href="{escape(url)}" rel="noreferrer">Release notes</a>'
    elif url:
        yield escape(url)
    yield from _describe_details(update.get("details") or {})


def _describe_details(details: Mapping[str, Any]) -> Iterator[str]:
    """Describe what a release fixes and requires, where that is known."""
    for requirement in details.get("requires") or ():
        name, minimum = (requirement.get(key, "") for key in ("name", "minimum"))
        yield escape(clean(f"Requires {name} {minimum}"))
    steps = [name.replace("_", " ") for name, is_needed in (details.get("steps") or {}).items() if is_needed]
    if steps:
        yield escape(f"The upgrade takes: {', '.join(steps)}.")
    fixes: Sequence[Mapping[str, Any]] = details.get("fixes") or ()
    if details.get("container_only"):
        yield "Only the container image is affected."
    shown = [escape(clean(" ".join((fix["text"], *fix["ids"])))) for fix in fixes[:FIXES_SHOWN]]
    more = [f"and {len(fixes) - FIXES_SHOWN} more"] if len(fixes) > FIXES_SHOWN else []
    if shown:
        yield f"Fixes:{_list('fixes', [*shown, *more])}"


def _list(name: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"<li>{item}</li>" for item in items)
    return f'<ul class="{name}">\n{lines}\n</ul>' if lines else ""


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
