"""The form of `status --json`: docs/status.schema.json is made from it, and real output is held to it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """A model that forbids other fields."""

    model_config = ConfigDict(extra="forbid")


class Fix(Strict):
    """One security fix, from the changelog."""

    text: str
    ids: list[str] = Field(description="of its advisories: GHSA-… or CVE-…")


class Requirement(Strict):
    """A minimum that rises with the release, or that this server does not meet."""

    name: str
    minimum: str
    found: str | None = Field(description="the version in use; null: unknown")
    met: bool | None = Field(description="null: unknown")


class Details(Strict):
    """Fixes of a release and the steps of its upgrade; null stands for unknown."""

    fixes: list[Fix] | None
    container_only: bool | None = Field(description="whether all fixes concern only the container images")
    requires: list[Requirement] | None
    steps: dict[
        Literal["ruby", "bundle_install", "yarn_install", "assets", "migrations", "restart_streaming"], bool | None
    ] = Field(description="whether the upgrade takes this step")


class Update(Strict):
    """A release that is newer than the installed version."""

    version: str
    type: Literal["patch", "minor", "major"] | None = Field(description="null: the update server did not say")
    urgent: bool
    release_notes: str | None = Field(description="a URL")
    end_of_support: date | None = Field(description="of its branch, as far as it is known")
    branch: str = Field(description="4.5 for 4.5.20")
    details: Details | None = Field(default=None, description="only with UPDATE_CHECK_RELEASE_DETAILS")


class Support(Strict):
    """Until when the installed branch is supported."""

    branch: str
    end_of_support: date
    stage: Literal["three_months", "two_weeks", "ended"] | None = Field(description="null: more than three months away")


class Sink(Strict):
    """How a sink is doing that has ever delivered, or tried to."""

    name: str
    undelivered: Count = Field(description="messages that it has not handed over yet")
    failing_since: datetime | None
    retry_at: datetime | None = Field(description="until when it waits as a whole")
    stopped: bool = Field(description="its receiver asked never to be called again (HTTP 410)")
    reply: str | None = Field(description="what the other side said last")
    last_sent_at: datetime | None


class Node(Strict):
    """A machine's daemon that has not been stopped, where several share a ledger."""

    host: str = Field(description="the machine's name")
    alive: bool = Field(description="whether it has given a sign of life within three minutes")
    last_beat_at: datetime
    checks: bool = Field(description="whether it is the one that checks")


class Day(Strict):
    """The checks of one day (UTC)."""

    day: date
    successful: Count
    failed: Count


class Status(Strict):
    """What `mastodon-update-check status --json` prints.

    `schema` is raised when a field goes or changes its meaning; fields may be added without that.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    form: Literal[1] = Field(alias="schema", description="version of this form")
    instance: str = Field(description="LOCAL_DOMAIN")
    level: Literal["ok", "warning", "critical", "unknown"] = Field(description="as the exit code: 0, 1, 2, 3")
    reasons: list[str] = Field(description="every sentence that speaks for attention")
    alive: bool = Field(description="whether the daemon has given a sign of life within three minutes")
    last_beat_at: datetime | None = Field(description="the daemon's last sign of life")
    checking_off: str | None = Field(description="why checking is off; null: it is on")
    installed_version: str | None
    pending: Count = Field(description="releases that are newer")
    urgent_to_act_on: Count = Field(description="urgent ones that call for action")
    updates: list[Update] = Field(description="at most 20 of those that are pending, urgent ones first")
    skipped: list[str] = Field(description="versions that are pending and passed over: `skip`")
    postponed: dict[str, datetime] = Field(
        description="versions that are pending, with the end of `skip --until`: no reminders and no alarm before it"
    )
    route: list[str] = Field(description="releases to deploy, in order; 4.6.x is the newest of a branch")
    migrations_pending: list[str] = Field(description="versions of the tree's migrations that have not run")
    services_outdated: list[str] = Field(description="units of Sidekiq and streaming that are older than the tree")
    support: Support | None
    last_check_at: datetime | None
    last_good_check_at: datetime | None
    next_check_at: datetime | None = Field(
        description="an interval after the last check, give or take half of UPDATE_CHECK_JITTER; null: no daemon is at "
        "work, checking is off, or the first check is about to begin"
    )
    days: list[Day] = Field(description="the checks of the last 30 days, without days that had none")
    failing_since: datetime | None = Field(description="the first failed check after a good one; null: checks work")
    failure: str | None = Field(description="why the last check failed")
    warnings: list[str] = Field(description="what did not work in the last check though it counts as good")
    undelivered: Count = Field(description="messages: deferred and failed")
    deferred: Count
    failed: Count = Field(description="refused as they are; tried again weekly, or when something changes")
    held_back: Count = Field(description="of the deferred, those that wait because of six mails a day")
    undelivered_since: datetime | None = Field(description="when the oldest of them was planned")
    nodes: list[Node] = Field(description="empty unless the ledger is in PostgreSQL, where machines may share it")
    sinks: list[Sink]


def describe() -> dict[str, Any]:
    """Return the form as a JSON Schema for others: fields may be added, so it forbids none."""
    schema: dict[str, Any] = Status.model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        del part["additionalProperties"], part["title"]
        for field in part["properties"].values():
            field.pop("title", None)
    return schema
