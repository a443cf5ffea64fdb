"""The result of a process that ran the program: exit code, answer, log lines."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of a process."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        """Assert that there is no traceback."""
        assert "Traceback" not in self.out + self.err, self.err

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which is one JSON object."""
        assert self.out, self.err
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Standard error, which is one JSON object a line."""
        return [json.loads(line) for line in self.err.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one name."""
        return [line for line in self.logs if line["event"] == name]

    @property
    def result(self) -> tuple[int, int, int, int, int]:
        """Exit code, planned, sent, deferred, failed, of `check --json`."""
        answer = self.json
        return self.code, answer["planned"], answer["sent"], answer["deferred"], answer["failed"]

    def findings(self, grade: str) -> list[tuple[str, str]]:
        """Return subject and sentence of each finding of `doctor --json`; without `unit`, which depends on the host."""
        found = [one for one in self.json["findings"] if one["subject"] != "unit"]
        return [(one["subject"], one["sentence"]) for one in found if one["grade"] == grade]
