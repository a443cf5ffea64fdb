"""The sources of settings in their order: environment, systemd credentials, our own file, Mastodon's files.

Each is one layer. A layer holds only what the layers above it do not: a hidden value is neither expanded nor opened,
and so cannot be wrong.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.config import names
from mastodon_update_check.config.found import ENVIRONMENT, Found, Layer, Problems
from mastodon_update_check.config.mastodon_files import FindVersion, MastodonFiles, read_mastodon_files
from mastodon_update_check.config.own_file import read_own_file
from mastodon_update_check.config.secret_files import credentials, with_secret_files
from mastodon_update_check.config.variables import BLANK_COUNTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The content of all sources, read once."""

    found: Layer
    """Every variable that is set; a blank one is not, except where blank is a value."""
    strangers: Layer
    """The variables of the environment and of our own file that begin like ours, but have no fixed name."""
    config_file: Path | None
    """Our own file, if it was read."""
    mastodon: MastodonFiles


def gather(
    environ: Mapping[str, str], config_file: Path, problems: Problems, find_version: FindVersion | None = None
) -> Sources:
    """Read all sources, our own file at `config_file` by default; what cannot be read is added to `problems`."""
    relevant = {name: Found(text, ENVIRONMENT) for name, text in environ.items() if names.is_relevant(name)}
    environment = dict(with_secret_files(relevant, (), problems))
    passed = dict(credentials(environ, environment, problems))
    own = read_own_file(environ, ChainMap(environment, passed), config_file, problems)
    above = ChainMap(environment, passed, dict(own.layer))
    mastodon = read_mastodon_files(environ, above, problems, find_version)
    merged = ChainMap(*above.maps, dict(mastodon.layer))
    public = ChainMap(environment, dict(own.layer))
    return Sources(
        found={name: found for name, found in merged.items() if not found.is_blank or name in BLANK_COUNTS},
        strangers={name: public[name] for name in names.strangers(public)},
        config_file=own.path,
        mastodon=mastodon,
    )
