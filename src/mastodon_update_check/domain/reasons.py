"""The reasons of decisions: why a recipient is notified, is not notified, or is not notified any more."""

from enum import StrEnum


class Reason(StrEnum):
    """One reason; the text is stored in the ledger and shown by `explain`, and never changes its spelling."""

    # notified
    URGENT_UPDATE = "urgent_update"
    PATCH_UPDATE = "patch_update"
    ANY_UPDATE = "any_update"
    SUPPORT_ENDS = "support_ends"
    OPERATOR = "operator"
    MARKED_AT_SETUP = "marked_at_setup"
    REMINDER = "reminder"
    CLOSURE = "closure"
    # not notified
    PREFERENCE_NONE = "preference_none"
    BELOW_PREFERENCE = "below_preference"
    SUPPORT_WARNINGS_OFF = "support_warnings_off"
    NOT_OPERATOR = "not_operator"
    OWN_SINK_FAILS = "own_sink_fails"
    ALREADY_TOLD = "already_told"
    ALREADY_PLANNED = "already_planned"
    NOT_TOLD_OF_OUTAGE = "not_told_of_outage"
    # not notified, or not any more
    SKIPPED = "skipped"
    # not any more
    INSTALLED = "installed"
    WITHDRAWN = "withdrawn"
    PRERELEASE = "prerelease"
    URGENCY_ROSE = "urgency_rose"
    URGENCY_FELL = "urgency_fell"
    LATER_STAGE = "later_stage"
    DATE_MOVED = "date_moved"
    BRANCH_LEFT = "branch_left"
    RECIPIENT_GONE = "recipient_gone"
    PREFERENCE_LOWERED = "preference_lowered"
    OVER = "over"
    NOT_INSTALLED = "not_installed"
    NOT_TO_ACT_ON = "not_to_act_on"
    NOT_DUE = "not_due"
    FOLLOW_UPS_OFF = "follow_ups_off"
    LEFT_BEHIND = "left_behind"
    COVERED = "covered"

    @property
    def notifies(self) -> bool:
        """Whether this is a reason to notify."""
        return self in _NOTIFYING

    @property
    def supersedes(self) -> bool:
        """Whether another notice takes the place of the cancelled one."""
        return self in {Reason.URGENCY_ROSE, Reason.LATER_STAGE}


_NOTIFYING = {
    Reason.URGENT_UPDATE,
    Reason.PATCH_UPDATE,
    Reason.ANY_UPDATE,
    Reason.SUPPORT_ENDS,
    Reason.OPERATOR,
    Reason.REMINDER,
    Reason.CLOSURE,
}
