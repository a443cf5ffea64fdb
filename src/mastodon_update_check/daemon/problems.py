"""Present problems of the daemon: shown in systemd's status line, and logged when they change."""

from mastodon_update_check.logs import log


class CurrentProblems:
    """The present problem of each part; none is the empty text."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def set(self, part: str, problem: str) -> None:
        """Keep a problem of a part, and log it when it begins, changes or ends."""
        before = self._texts.get(part, "")
        self._texts[part] = problem
        if problem and problem != before:
            log.error(f"{part}.failed", detail=problem)
        elif before and not problem:
            log.info(f"{part}.recovered")

    def get(self, part: str) -> str:
        """Return the present problem of a part."""
        return self._texts.get(part, "")

    def prefix(self, line: str) -> str:
        """Return the status line: problems first, since it is cut at its end."""
        return ". ".join(dict.fromkeys([*(text for text in self._texts.values() if text), line]))
