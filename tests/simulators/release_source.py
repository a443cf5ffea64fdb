"""A source of release details: the trees of several tags, as raw.githubusercontent.com has them.

::

    with ReleaseSource() as source:
        source.publish("4.5.20", {"Gemfile.lock": "other gems"})
        fetch_releases(source.template, ...)
    assert source.asked == ["4.5.20/CHANGELOG.md", ...]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from simulators.http_server import Answer, HttpServer, Reply, Request

CHANGELOG = (Path(__file__).parents[1] / "data" / "releases" / "CHANGELOG-4.6.5.md").read_text()
README = """# Mastodon

### Requirements of something else

## Deployment

### Requirements

- **Ruby** 3.3+
- **PostgreSQL** 13+
- **Redis** 6.2+
- **Node.js** 20+
- **FFmpeg** 5.1+

### Tech stack

- **PostgreSQL** 99+
"""
SCHEMA = """# This file is auto-generated

ActiveRecord::Schema[8.0].define(version: 2025_10_23_210145) do
  create_table "accounts" do |t|
  end
end
"""
TREE = {
    "CHANGELOG.md": CHANGELOG,
    "README.md": README,
    ".ruby-version": "3.4.7\n",
    "package.json": '{"name": "@mastodon/mastodon", "engines": {"node": ">=20"}}',
    "Gemfile.lock": "GEM\n    rails (8.0.3)\n",
    "yarn.lock": "react 18.2.0\n",
    "db/schema.rb": SCHEMA,
    "streaming/package.json": '{"name": "@mastodon/streaming"}',
    "streaming/index.js": "main();\n",
}


class ReleaseSource:
    """Answers while its context lasts; other files than those of a published tree do not exist."""

    def __init__(self) -> None:
        self.http = HttpServer(self._answer)
        self.instead: dict[str, Answer] = {}
        """Answers by path; `*` for every path."""
        self._trees: dict[str, Mapping[str, str]] = {}

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__()

    @property
    def template(self) -> str:
        """For `UPDATE_CHECK_RELEASE_DETAILS`."""
        return self.http.url("/raw/v{version}/")

    @property
    def asked(self) -> list[str]:
        """The files that were asked for, as `4.5.20/README.md`."""
        return [request.path.removeprefix("/raw/v") for request in self.http.requests]

    def publish(self, tag: str, changed: Mapping[str, str] | None = None, changelog: str = "") -> None:
        """Have the tree of a release: the usual one but for the files that have changed."""
        text = changelog or f"## [{tag}] - 2026-10-29\n\n### Fixed\n\n- Fix something\n\n{CHANGELOG}"
        self._trees[tag] = {**TREE, "CHANGELOG.md": text, **(changed or {})}

    def _answer(self, request: Request) -> Answer:
        tag, _, path = request.path.removeprefix("/raw/v").partition("/")
        if answer := self.instead.get(path) or self.instead.get("*"):
            return answer
        text = self._trees.get(tag, {}).get(path)
        return Reply(404) if text is None else Reply(200, text.encode())
