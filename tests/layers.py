"""Which module may import which: DESIGN.md, section 3, as a checker of source texts."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

PACKAGE = "mastodon_update_check"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("", "errors"),
    ("core.text",),
    ("core.versions",),
    ("core",),
    ("net", "network_errors", "foreign"),
    ("fetch", "postgres_login"),
    ("settings", "feed", "languages", "ping", "mastodon", "ledger", "sinks"),
    ("jobs",),
    ("app", "host"),
    ("logs", "notifier", "schedule", "sight", "signals", "worker"),
    ("service",),
    ("daemon", "setup"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
"""From the bottom upwards. A part imports from itself and from layers below its own; `""` is the package itself."""

PURE_MODULES = frozenset(
    {
        *("collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "html", "itertools", "json"),
        *("packaging", "re", "shlex", "textwrap", "typing", "unicodedata", "urllib.parse"),
    }
)
"""All that the core may import from elsewhere: values and functions of values, no way to the outside."""
CLOCKS = frozenset({"now", "today", "utcnow"})
OUTSIDE_CALLS = frozenset({"__import__", "breakpoint", "eval", "exec", "input", "open", "print"})


@dataclass(frozen=True, slots=True)
class Import:
    """One import in one module; `name` is the whole dotted name of what is imported from, or of a module."""

    module: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


def find_imports(module: str, source: str, *, is_package: bool = False) -> Iterator[Import]:
    """Yield every import of a module, wherever in it it stands; relative ones by their whole names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package=is_package)
            if base == PACKAGE:  # `from package import module`
                yield from (Import(module, f"{base}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield Import(module, base, node.lineno)


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    stem = parts[: len(parts) - node.level + is_package]
    return ".".join([*stem, *([node.module] if node.module else [])])


def part_of(name: str) -> str | None:
    """Return the part of the program that a module belongs to; None for modules of others."""
    if name != PACKAGE and not name.startswith(f"{PACKAGE}."):
        return None
    inner = name.removeprefix(PACKAGE).removeprefix(".")
    known = {part for layer in LAYERS for part in layer}
    for part in (".".join(inner.split(".")[:2]), inner.split(".")[0]):
        if part in known:
            return part
    return "" if inner.startswith("__version") else inner


def find_upward_imports(sources: Mapping[str, str], packages: Iterable[str] = ()) -> list[str]:
    """Return every import that goes up, or sideways to another part of the same layer."""
    rank = {part: number for number, layer in enumerate(LAYERS) for part in layer}
    found = []
    for module, source in sources.items():
        own = part_of(module)
        if own not in rank:
            found.append(f"{module} belongs to no layer: say in tests/layers.py to which")
            continue
        for one in find_imports(module, source, is_package=module in packages):
            other = part_of(one.name)
            if other is None or other == own:
                continue
            if other not in rank or rank[other] >= rank[own]:
                found.append(str(one))
    return found


def find_impurities(module: str, source: str) -> list[str]:
    """Return what a module of the core does that reaches outside: imports, clocks and files."""
    tree = ast.parse(source)
    found = [str(one) for one in find_imports(module, source) if not _is_pure(one.name)]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return found + [f"{module}:{call.lineno} calls {it}" for call in calls if (it := _reaches_outside(call.func))]


def _is_pure(name: str) -> bool:
    if name.split(".", maxsplit=1)[0] == PACKAGE:
        return True  # its own imports are judged where they stand
    return any(name == pure or name.startswith(f"{pure}.") for pure in PURE_MODULES)


def _reaches_outside(function: ast.expr) -> str:
    if isinstance(function, ast.Name) and function.id in OUTSIDE_CALLS:
        return function.id
    if isinstance(function, ast.Attribute) and function.attr in CLOCKS:
        return ast.unparse(function)
    return ""


def is_standard(name: str) -> bool:
    """Whether a module comes with Python."""
    return name.split(".", maxsplit=1)[0] in sys.stdlib_module_names
