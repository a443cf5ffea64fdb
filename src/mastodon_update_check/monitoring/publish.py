"""The files that are written for others: the metrics, and the status page with its JSON form."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from mastodon_update_check.files.own import replace_file
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
        from mastodon_update_check.monitoring.page import PageContext, public_status, render_page

        status, file = public_status(report), settings.page_file
        json_file, reload_file = file.with_suffix(".json"), file.with_stem(f"{file.stem}-reload")
        around = PageContext(
            now=report.now,
            interval=settings.interval,
            update_host=urlsplit(settings.url or "").hostname or "",
            json_name=json_file.name,
            reload_name=reload_file.name,
        )
        yield json_file, f"{json.dumps(status, indent=2)}\n".encode()
        yield reload_file, render_page(status, replace(around, reload_name=file.name)).encode()
        yield file, render_page(status, around).encode()
