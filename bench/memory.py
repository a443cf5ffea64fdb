"""Memory: the idle daemon after several checks and deliveries, against a process that only imports the same."""

from bench.claim import Claim, alternate
from bench.modules import CHECKS, list_loaded, reference_command, resident_megabytes
from bench.stage import PROGRAMS, Stage

LIMIT = 1.20


def measure(stage: Stage, rounds: int = 5) -> Claim:
    """Measure resident memory."""
    modules = list_loaded(stage).when_idle
    count = len(modules.read_text().split())

    def reference() -> float:
        with stage.running(reference_command(modules), stage.environment) as process:
            return resident_megabytes(process)

    def ours() -> float:
        stage.forget()
        with stage.running([str(PROGRAMS / "mastodon-update-check"), "run"], stage.settings) as process:
            stage.updates.wait_for(CHECKS)
            return resident_megabytes(process)

    return Claim(
        name="memory",
        our_name=f"the daemon after {CHECKS} checks and a mail, resident",
        reference_name=f"a process that imports the same {count} modules of others",
        unit="MB",
        pairs=alternate(reference, ours, rounds),
        limit=LIMIT,
    )
