"""Diagnosis, for `doctor`: one probe for each configured part, which yields findings; nothing is changed or sent."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Grade(StrEnum):
    """The severity of a finding; an error only if a configured part does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a probe; the sentence of a warning or an error says what to do."""

    grade: Grade
    subject: str
    sentence: str
    is_detail: bool = False
    """Whether it is shown on request only."""


ok = partial(Finding, Grade.OK)
warning = partial(Finding, Grade.WARNING)
error = partial(Finding, Grade.ERROR)
