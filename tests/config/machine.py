"""A machine whose settings the tests write: environment, our own file, Mastodon's file, credentials."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mastodon_update_check.config import Settings, SinkSettings, load_settings
from mastodon_update_check.errors import SettingsError


class Machine:
    """Loads the settings of one machine; nothing of the machine that the tests run on is read."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.own_path, self.mastodon_path = home / "config.env", home / ".env.production"
        self.environ = {
            "HOME": str(home),
            "UPDATE_CHECK_CONFIG": str(self.own_path),
            "UPDATE_CHECK_MASTODON_ROOT": str(home),
        }
        self.own_path.write_text("")

    def own(self, text: str) -> "Machine":
        """Write our own file."""
        self.own_path.write_text(text)
        return self

    def mastodon(self, text: str) -> "Machine":
        """Write Mastodon's file."""
        self.mastodon_path.write_text(text)
        return self

    def credential(self, name: str, text: str) -> "Machine":
        """Hand over a credential, as systemd does."""
        directory = self.home / "credentials"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
        self.environ["CREDENTIALS_DIRECTORY"] = str(directory)
        return self

    def file(self, name: str, text: str) -> str:
        """Write a file; return its path."""
        path = self.home / name
        path.write_text(text)
        return str(path)

    def load(self, environ: Mapping[str, str] | None = None) -> Settings:
        """Return the settings, with these variables added to the environment."""
        return load_settings({**self.environ, **(environ or {})}, self.home / "no_default.env")

    def problems(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return the problems; this machine's directory is left out of them."""
        with pytest.raises(SettingsError) as caught:
            self.load(environ)
        return [problem.replace(f"{self.home}/", "") for problem in caught.value.problems]

    def sink(self, name: str, environ: Mapping[str, str] | None = None) -> SinkSettings:
        """Return the settings of one sink."""
        return next(sink for sink in self.load(environ).sinks if sink.name == name)
