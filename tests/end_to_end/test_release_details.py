"""Release details by the real program: from the source to mail, webhook and status."""

import json
import time
from collections.abc import Iterator

import pytest

from end_to_end.world import World
from mastodon_update_check.domain.release_tree import FILES
from simulators.http_server import Reply, hang
from simulators.release_source import ReleaseSource

ADVISORY = "GHSA-288h-6j8h-6x5j"
CHANGELOG = f"""## [4.5.20] - 2026-10-29

### Security

- Fix <b>checks</b> of identifiers ([{ADVISORY}](https://github.com/mastodon/mastodon/security/advisories/{ADVISORY}))
- Update dependencies

## [4.5.19] - 2026-10-01
"""


@pytest.fixture
def source(world: World) -> Iterator[ReleaseSource]:
    """Have the details of 4.5.19 and of an urgent 4.5.20."""
    world.update_server.publish("4.5.20", urgent=True)
    with ReleaseSource() as source:
        source.publish("4.5.19", changelog=CHANGELOG.partition("\n## ")[2])
        source.publish("4.5.20", {"Gemfile.lock": "GEM\n"}, CHANGELOG)
        world.set(UPDATE_CHECK_RELEASE_DETAILS=source.template)
        yield source


def test_details_reach_everybody(world: World, source: ReleaseSource) -> None:
    """Mail, webhook and both `--json` say what it fixes and what the upgrade takes, without markup."""
    answer = world.check().json
    [text] = [text.replace("\r\n", "\n") for text in world.texts]
    assert "4.5.20 fixes 1 security issue:\n" in text
    assert f"  {ADVISORY}: Bchecks/b of identifiers\n" in text
    assert "Bchecks/b of identifiers<br>" in text
    assert "To upgrade: bundle install; then restart Sidekiq and web." in text
    [call] = world.calls
    expected = json.loads(call.body)["data"]["updates"][0]["details"]
    assert expected["fixes"] == [{"text": "Fix bchecks/b of identifiers", "ids": [ADVISORY]}]
    assert expected["steps"]["bundle_install"] is True
    assert world.run("status", "--json").json["updates"][0]["details"] == expected
    assert answer["updates"][0]["details"] == expected
    world.check()
    assert len(source.asked) == 2 * len(FILES)  # later checks have them from the ledger


@pytest.mark.parametrize(
    "answer", [Reply(500), Reply(200, b"\xff\x00" * 999), hang()], ids=["error", "junk", "silence"]
)
def test_no_source_delays_a_notice_for_long(world: World, source: ReleaseSource, answer: Reply) -> None:
    """The notice is sent without details, and the check counts as good."""
    source.instead["*"] = answer
    began = time.monotonic()
    finished = world.check()
    assert time.monotonic() - began < 35
    assert (finished.result, world.notified) == ((0, 3, 3, 0, 0), (1, 1))
    assert "The update server does not say what is fixed" in world.texts[0]


def test_route_prints_only_the_steps_needed(world: World, source: ReleaseSource) -> None:
    """It says which are not needed; without a ledger the source is asked for now."""
    world.set(UPDATE_CHECK_INSTALL_KIND="source")
    shown = world.run("route").out
    assert "    bundle install\n" in shown
    assert "    yarn install\n" not in shown
    remarks = " ".join(shown.replace("\n# ", " ").split())
    assert "To upgrade: bundle install; then restart Sidekiq and web. Not needed:" in remarks
    answer = world.run("route", "--json").json
    assert answer["details"]["steps"]["bundle_install"] is True
    assert [path.partition("/")[0] for path in source.asked].count("4.5.20") >= len(FILES)


def test_route_compares_with_the_station_before(world: World, source: ReleaseSource) -> None:
    """Steps of a later station are those from the one before it; nothing is fetched unless that is wanted."""
    source.publish("4.6.0", {"Gemfile.lock": "GEM\n", "db/schema.rb": ""})
    world.update_server.publish("4.6.0", type="minor")
    steps = world.run("route", "4.6.0", "--json").json["details"]["steps"]
    assert (steps["bundle_install"], steps["migrations"]) == (False, True)
    source.http.requests.clear()
    world.set(UPDATE_CHECK_RELEASE_DETAILS=None)
    assert (world.run("route", "4.6.0", "--json").json["details"], source.asked) == (None, [])


def test_explain(world: World, source: ReleaseSource) -> None:
    """It shows the same as a message."""
    world.check()
    shown = world.run("explain", "4.5.20").out.replace("\n  ", "\n")
    assert f"4.5.20 fixes 1 security issue:\n{ADVISORY}: Bchecks/b of identifiers\n" in shown
    assert world.run("explain", "4.5.20", "--json").json["details"]["fixes"][0]["ids"] == [ADVISORY]
    assert source.asked


def test_doctor_tries_the_source(world: World, source: ReleaseSource) -> None:
    """With the installed release, and without storing anything."""

    def finding(grade: str) -> str:
        return dict(world.run("doctor", "--json").findings(grade))["release details"]

    world.check()
    assert finding("ok").startswith("127.0.0.1 has the files of 4.5.19, but not streaming/")
    source.instead["*"] = Reply(503)
    assert finding("warning").startswith("127.0.0.1 does not give the files of 4.5.19: ")
    world.set(UPDATE_CHECK_RELEASE_DETAILS=None)
    assert finding("ok").startswith("off: ")
