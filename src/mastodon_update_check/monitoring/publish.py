"""The files that are written for others: the metrics, and the status page with its JSON form."""

import json
from collections.abc import Iterator
from pathlib import Path

from mastodon_update_check.files import replace_file
from mastodon_update_check.logs import log
from mastodon_update_check.monitoring.status import StatusReport


def publish(report: StatusReport) -> tuple[str, ...]:
    """Write each file that is configured; return a warning for each one that could not be written."""
    warnings = []
    for path, content in _render(report):
        try:
            replace_file(path, content, mode=0o644)  # node_exporter and web servers run as other users
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            warnings.append(f"{path} cannot be written: {reason}")
            log.warning("publish.failed", path=str(path), detail=reason)
    return tuple(warnings)


def _render(report: StatusReport) -> Iterator[tuple[Path, bytes]]:
    settings = report.settings
    if settings.metrics_file is not None:
        from mastodon_update_check.monitoring.metrics import render

        yield settings.metrics_file, render(report)
    if settings.page_file is not None:
        from mastodon_update_check.monitoring.page import public_status, render_page

        file = settings.page_file
        json_file, reload_file = file.with_suffix(".json"), file.with_stem(f"{file.stem}-reload")
        yield json_file, f"{json.dumps(public_status(report), indent=2)}\n".encode()
        yield reload_file, render_page(report, json_file.name, file.name).encode()
        yield file, render_page(report, json_file.name, reload_file.name).encode()
