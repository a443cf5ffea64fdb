"""Mastodon trees: version files in the shapes of 3.5 to 4.7 and of the forks.

The shapes are real, names and numbers are made up.
"""

from pathlib import Path

FLAGS_TO_S = "[to_a.join('.'), flags, suffix].join"
PARTS_TO_S = """components = [to_a.join('.')]
      components << "-#{prerelease}" if prerelease.present?
      components << "+#{build_metadata}" if build_metadata.present?
      components.join"""
FROM_SETTINGS = {
    "prerelease": "version_configuration[:prerelease].presence || default_prerelease",
    "build_metadata": "version_configuration[:metadata]",
    "version_configuration": "mastodon_configuration.version",
    "mastodon_configuration": "Rails.configuration.x.mastodon",
}
FROM_ENVIRONMENT = {
    "prerelease": "ENV['MASTODON_VERSION_PRERELEASE'].presence || default_prerelease",
    "build_metadata": "ENV.fetch('MASTODON_VERSION_METADATA', nil)",
}


def ruby(numbers: str, **methods: str) -> str:
    """Return a version file with these numbers and methods."""
    major, minor, patch = numbers.split(".")
    bodies = {"major": major, "minor": minor, "patch": patch, "to_a": "[major, minor, patch].compact", **methods}
    text = "".join(f"\n    def {name}\n      {body}\n    end\n" for name, body in bodies.items())
    return (
        f"# frozen_string_literal: true\n\nmodule Mastodon\n  module Version\n    module_function\n{text}  end\nend\n"
    )


def flags(numbers: str, flags: str = "''", suffix: str = "''", **methods: str) -> str:
    """Return a file of the time up to 4.1."""
    return ruby(numbers, flags=flags, suffix=suffix, **{"to_s": FLAGS_TO_S, **methods})


def parts(numbers: str, default: str = "''", **methods: str) -> str:
    """Return a file of 4.2 and 4.3."""
    return ruby(numbers, default_prerelease=default, **{**FROM_ENVIRONMENT, "to_s": PARTS_TO_S, **methods})


def configured(numbers: str, default: str = "''", **methods: str) -> str:
    """Return a file of 4.4 and later."""
    return parts(numbers, default, **{**FROM_SETTINGS, **methods})


def settings(metadata: str, prerelease: str = "", rest: str = "") -> str:
    """Return a `config/mastodon.yml`."""
    head = "---\nshared:\n  source:\n    tag: x\n"
    return f"{head}  version:\n    metadata: {metadata}\n    prerelease: {prerelease}\n{rest}"


def write_tree(root: Path, version: str | None, settings: str | None = None) -> Path:
    """Write the files that say the version, as far as given; return `root`."""
    for name, text in (("lib/mastodon/version.rb", version), ("config/mastodon.yml", settings)):
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return root
