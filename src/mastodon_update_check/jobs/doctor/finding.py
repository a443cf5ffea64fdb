"""The result of a probe."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """The severity of a finding; an error only if a configured part does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding of a probe; the sentence of a warning or an error says what to do."""

    grade: Grade
    subject: str
    sentence: str
    is_detail: bool = False
    """Whether it is shown on request only."""


def ok(subject: str, sentence: str, *, is_detail: bool = False) -> Finding:
    """It works."""
    return Finding(grade=Grade.OK, subject=subject, sentence=sentence, is_detail=is_detail)


def warning(subject: str, sentence: str) -> Finding:
    """It works, or is not configured; something about it deserves a look."""
    return Finding(grade=Grade.WARNING, subject=subject, sentence=sentence)


def error(subject: str, sentence: str) -> Finding:
    """It is configured and does not work."""
    return Finding(grade=Grade.ERROR, subject=subject, sentence=sentence)
