"""The sources of settings in their order: environment, systemd credentials, our own file, Mastodon's file.

Each becomes one layer. A layer holds only what the layers above it do not: what is hidden is neither expanded nor
opened, and so cannot be wrong.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.files import mastodons_file, own_file
from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.secret_files import credentials, with_secret_files
from mastodon_update_check.config.variables import BLANK_MEANS_OFF

ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What all sources say, read once."""

    layers: tuple[Layer, ...]
    """First wins."""
    found: Layer
    """Every variable that is set; what is blank is not, except where that says something."""
    strangers: Layer
    """The variables of the environment and of our own file that look like ours, but have no fixed name."""
    config_file: Path | None
    """Our own file, if it was read."""
    mastodon_env_file: Path | None
    """Mastodon's file, if it was read."""
    mastodon_check_is_off: bool
    """Whether Mastodon's file silences the check that is built into Mastodon."""


def gather(environ: Mapping[str, str], config_file: Path, problems: Problems) -> Sources:
    """Read all sources, our own file at `config_file` by default; what cannot be read is added to `problems`."""
    relevant = {name: Found(text, ENVIRONMENT) for name, text in environ.items() if names.is_relevant(name)}
    environment = dict(with_secret_files(relevant, (), problems))
    handed_over = dict(credentials(environ, environment, problems))
    own = own_file(environ, ChainMap(environment, handed_over), config_file, problems)
    above = ChainMap(environment, handed_over, dict(own.layer))
    mastodons = mastodons_file(environ, above, problems)
    merged = ChainMap(*above.maps, dict(mastodons.layer))
    public = ChainMap(environment, dict(own.layer))
    return Sources(
        layers=tuple(merged.maps),
        found={name: found for name, found in merged.items() if not found.is_blank or name in BLANK_MEANS_OFF},
        strangers={name: public[name] for name in names.strangers(public)},
        config_file=own.path,
        mastodon_env_file=mastodons.path,
        mastodon_check_is_off=mastodons.silences_mastodon,
    )
