"""Imports only go downwards, and the core reaches nowhere outside."""

from pathlib import Path

import pytest

import mastodon_update_check
from layers import LAYERS, PACKAGE, PURE_MODULES, find_imports, find_impurities, find_upward_imports, is_standard

ROOT = Path(mastodon_update_check.__file__).parent
FILES = {
    ".".join([PACKAGE, *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__"): file
    for file in sorted(ROOT.rglob("*.py"))
}
SOURCES = {module: file.read_text(encoding="utf-8") for module, file in FILES.items()}
PACKAGES = {module for module, file in FILES.items() if file.name == "__init__.py"}
CORE = sorted(module for module in SOURCES if module.startswith(f"{PACKAGE}.core"))


def test_imports_only_go_downwards() -> None:
    """No module imports from its own layer's neighbours, or from above (DESIGN.md, section 3)."""
    assert [] == find_upward_imports(SOURCES, PACKAGES)


def test_every_layer_has_modules() -> None:
    """A part that is named here and nowhere to be found would say nothing."""
    assert [] == [
        part
        for layer in LAYERS
        for part in layer
        if not any(f"{module}.".startswith(f"{PACKAGE}.{part}.".replace("..", ".")) for module in SOURCES)
    ]


@pytest.mark.parametrize("module", CORE)
def test_core_is_pure(module: str) -> None:
    """The core: standard library without ways to the outside, and `packaging`; no clock, file or output."""
    assert [] == find_impurities(module, SOURCES[module])
    below = {PACKAGE, f"{PACKAGE}.errors"}
    own = [one.name for one in find_imports(module, SOURCES[module]) if one.name.startswith(PACKAGE)]
    assert [] == [name for name in own if name not in below and not name.startswith(f"{PACKAGE}.core")]


def test_core_was_looked_at() -> None:
    """The walk has found the core."""
    assert {f"{PACKAGE}.core.planning", f"{PACKAGE}.core.messages.compose", f"{PACKAGE}.core.versions"} <= set(CORE)


def test_errors_import_nothing_of_ours() -> None:
    """`errors` lies at the bottom: it needs the standard library alone."""
    names = [one.name for one in find_imports("errors", SOURCES[f"{PACKAGE}.errors"])]
    assert [] == [name for name in names if not is_standard(name)]
    assert all(is_standard(name) for name in PURE_MODULES - {"packaging"})


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        pytest.param("core.plan", "from mastodon_update_check.ledger import file", "ledger", id="upwards"),
        pytest.param("core.plan", "import mastodon_update_check.jobs.check", "jobs.check", id="upwards, whole"),
        pytest.param("core.plan", "from mastodon_update_check import feed", "feed", id="upwards, from the package"),
        pytest.param("core.plan", "from ..sinks import base", "sinks", id="upwards, relative"),
        pytest.param("ledger.rows", "from mastodon_update_check.sinks.base import Sink", "sinks.base", id="sideways"),
        pytest.param("feed", "from mastodon_update_check.settings import Settings", "settings", id="sideways, a file"),
        pytest.param("core.text", "from mastodon_update_check.core.versions import x", "core.versions", id="in core"),
        pytest.param("core.versions", "from mastodon_update_check.core import facts", "core", id="rest of core"),
        pytest.param("errors", "from mastodon_update_check.core.text import clean", "core.text", id="from the bottom"),
        pytest.param("jobs.check", "def f():\n from mastodon_update_check.app import App", "app", id="in a function"),
        pytest.param(
            "jobs.check", "if True:\n try:\n  import mastodon_update_check.cli\n except E: pass", "cli", id="in a nest"
        ),
        pytest.param("daemon", "from mastodon_update_check.elsewhere import x", "elsewhere", id="no such part"),
    ],
)
def test_checker_finds_what_goes_up(module: str, source: str, found: str) -> None:
    """The checker can fail: each of these made-up modules breaks the rule once."""
    (complaint,) = find_upward_imports({f"{PACKAGE}.{module}": source})
    assert complaint.startswith(f"{PACKAGE}.{module}:")
    assert complaint.endswith(f"imports {PACKAGE}.{found}")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("jobs.check", "from mastodon_update_check.ledger.ledger import Ledger", id="downwards"),
        pytest.param("ledger.rows", "from mastodon_update_check.ledger import instants", id="within one part"),
        pytest.param("core.facts", "from mastodon_update_check.core.versions import x", id="down in the core"),
        pytest.param("core.facts", "from .notices import x", id="relative, in the same part"),
        pytest.param("net", "from mastodon_update_check import __version__", id="the package's own version"),
        pytest.param("cli", "import os, httpx", id="modules of others"),
    ],
)
def test_checker_lets_pass_what_goes_down(module: str, source: str) -> None:
    """And it can pass."""
    assert [] == find_upward_imports({f"{PACKAGE}.{module}": source})


def test_checker_asks_for_a_layer() -> None:
    """A new part has to be given its place."""
    (complaint,) = find_upward_imports({f"{PACKAGE}.novelty": ""})
    assert "novelty belongs to no layer" in complaint


@pytest.mark.parametrize(
    "source",
    [
        *("import os", "import socket", "import sqlite3", "import logging", "import time", "import random"),
        *("from pathlib import Path", "import urllib.request", "import httpx", "import structlog", "import asyncio"),
        *("from datetime import datetime\nx = datetime.now()", "x = d.date.today()", "x = d.utcnow()"),
        *("x = open('f')", "print('x')", "def f():\n import subprocess", "x = eval('1')"),
    ],
)
def test_checker_finds_ways_outside(source: str) -> None:
    """Each of these made-up modules of the core reaches outside once."""
    assert 1 == len(find_impurities(f"{PACKAGE}.core.plan", source))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndef f(now: datetime) -> None:\n return now.date()",
        "from packaging.version import Version\nfrom urllib.parse import urlsplit\nimport re, hashlib",
        "from collections.abc import Mapping",
    ],
)
def test_checker_lets_values_pass(source: str) -> None:
    """Values and functions of values are what the core is made of."""
    assert [] == find_impurities(f"{PACKAGE}.core.plan", source)
