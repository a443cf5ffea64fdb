"""Version files as Mastodon and its forks have them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.examples import cases, version
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.mastodon.tree import detect_kind, read_tree_version
from simulators.mastodon_tree import FLAGS_TO_S, PARTS_TO_S, configured, flags, parts, settings, write_tree

PRE = {"MASTODON_VERSION_PRERELEASE": "nightly.2026-07-24"}
META = {"MASTODON_VERSION_METADATA": "pr-7"}
FETCH = "ENV.fetch('MASTODON_VERSION_METADATA', nil)"
BLANK = {"MASTODON_VERSION_PRERELEASE": "  ", "MASTODON_VERSION_METADATA": ""}
KMYBLUE = {
    "kmyblue_major": "24",
    "kmyblue_minor": "2",
    "kmyblue_flag": "'lts'\n      # 'dev'\n      # nil",
    "to_a_of_kmyblue": "[kmyblue_major, kmyblue_minor].compact",
    "to_s_of_kmyblue": """components = [to_a_of_kmyblue.join('.')]
      components << "-#{kmyblue_flag}" if kmyblue_flag.present?
      components.join""",
    "build_metadata": "['kmyblue', to_s_of_kmyblue].compact.join('.')",
    "build_metadata_of_mastodon": "version_configuration[:metadata]",
    "to_s": PARTS_TO_S.replace(
        "components.join",
        'components << "+#{build_metadata_of_mastodon}" if build_metadata_of_mastodon.present?\n      components.join',
    ),
}
HOMETOWN = {
    "hometown_version": "'hometown-1.2.0'",
    "to_s": PARTS_TO_S.replace("components.join", 'components << "+#{hometown_version}"\n      components.join'),
}
GLITCH = "['glitch', ENV.fetch('MASTODON_VERSION_METADATA', nil)].compact_blank.join('.')"
CAT = {
    "flags": "ENV.fetch('MASTODON_VERSION_FLAGS', '')",
    "suffix": """"+cat#{suffix_version}#{ENV.fetch('MASTODON_VERSION_SUFFIX', '')}\"""",
    "suffix_version": "'+1.0'",
}
ENV_NUMBER = {"minor": "# 3\n      ENV.fetch('MASTODON_VERSION_MINOR', '3').to_i"}
METADATA_IN_A_BLOCK = PARTS_TO_S.replace(
    "components.join", 'if own?(1)\n        components << "+own"\n      end\n      components.join'
)
METADATA_OF_A_VARIABLE = "meta = `date`\n      " + PARTS_TO_S.replace("#{build_metadata}", "#{meta}")


def only_if(condition: str) -> str:
    """Return a `to_s` that appends the metadata only under one more condition."""
    return PARTS_TO_S.replace("build_metadata.present?", f"build_metadata.present? {condition}")


BLOCK = {"suffix": "ENV.fetch('MASTODON_VERSION_SUFFIX') { '+own' }"}


@cases(
    "source environment expected",
    ("a release of 3.5", flags("3.5.19"), {}, "3.5.19"),
    ("flags are glued on", flags("4.0.0", "'rc1'"), {}, "4.0.0rc1"),
    ("glitch-soc of old", flags("4.0.2", suffix="'+glitch+own'"), {}, "4.0.2+glitch+own"),
    ("old files heed no environment", flags("4.1.25"), {**PRE, **META}, "4.1.25"),
    ("Hometown of old: its own version comes first", flags("1.0.7", suffix="'+3.5.5'"), {}, "1.0.7+3.5.5"),
    ("a suffix with the environment's", flags("4.1.4", **CAT), {"MASTODON_VERSION_SUFFIX": "+x"}, "4.1.4+cat+1.0+x"),
    ("a default in a block", flags("4.1.4", **BLOCK), {}, "4.1.4+own"),
    ("a sum of texts", flags("3.1.5", to_s=FLAGS_TO_S + " + '_own'"), {}, "3.1.5_own"),
    ("a release of 4.2", parts("4.2.29"), {}, "4.2.29"),
    ("a default pre-release", parts("4.3.0", "'alpha.5'"), {}, "4.3.0-alpha.5"),
    ("the environment's pre-release", parts("4.3.0", "'alpha.5'"), PRE, "4.3.0-nightly.2026-07-24"),
    ("the environment's metadata", parts("4.3.1"), META, "4.3.1+pr-7"),
    ("blank falls back to the default", parts("4.3.0", "'alpha.5'"), BLANK, "4.3.0-alpha.5"),
    ("glitch-soc of 4.3", parts("4.3.1", build_metadata=GLITCH), META, "4.3.1+glitch.pr-7"),
    ("glitch-soc alone", parts("4.3.1", build_metadata=GLITCH), BLANK, "4.3.1+glitch"),
    ("a literal for metadata", parts("4.3.0", build_metadata="'own'"), META, "4.3.0+own"),
    ("an unused suffix is unused", parts("4.2.10", "'alpha.0'", suffix="'+own'"), {}, "4.2.10-alpha.0"),
    ("numbers from the environment", parts("4.3.0", **ENV_NUMBER), {"MASTODON_VERSION_MINOR": "5"}, "4.5.0"),
    ("or else the default", parts("4.3.0", **ENV_NUMBER), {}, "4.3.0"),
    ("a release of 4.7", configured("4.7.6"), {}, "4.7.6"),
    ("4.7 with an environment", configured("4.7.0", "'beta.1'"), {**PRE, **META}, "4.7.0-nightly.2026-07-24+pr-7"),
    ("4.7 with a blank environment", configured("4.7.0", "'beta.1'"), BLANK, "4.7.0-beta.1"),
    (
        "the first form of 4.4",
        parts(
            "4.4.0",
            "'alpha.1'",
            prerelease="configuration.version[:prerelease] || default_prerelease",
            build_metadata="configuration.version[:metadata]",
            configuration="Rails.configuration.x.mastodon",
        ),
        BLANK,
        "4.4.0-alpha.1",
    ),
    ("Hometown", configured("4.5.6", **HOMETOWN), {}, "4.5.6+hometown-1.2.0"),
    ("Hometown with metadata: two plus signs", configured("4.5.6", **HOMETOWN), META, "4.5.6+pr-7+hometown-1.2.0"),
    ("kmyblue", configured("4.6.3", **KMYBLUE), {}, "4.6.3+kmyblue.24.2-lts"),
    ("kmyblue with metadata", configured("4.6.3", **KMYBLUE), META, "4.6.3+kmyblue.24.2-lts+pr-7"),
    ("a fork's word as pre-release", configured("4.5.9", "'kronk.1.7.0'"), {}, "4.5.9-kronk.1.7.0"),
    (
        "a text around the environment",
        configured("4.6.0", build_metadata="\"own#{ENV.fetch('MASTODON_VERSION_METADATA', nil)}\""),
        META,
        "4.6.0+ownpr-7",
    ),
    (
        "what is not needed need not be read",
        configured("4.7.0", prerelease="version_configuration[:prerelease].presence || read_commit"),
        PRE,
        "4.7.0-nightly.2026-07-24",
    ),
    (
        "numbers in an array over two lines",
        parts("4.3.3", upstream_patch="9", to_a="[major, minor, upstream_patch,\n       'own'].compact"),
        {},
        "4.3.9.own",
    ),
    ("other variables stay out", parts("4.3.0", build_metadata="ENV['OTP_SECRET']"), {"OTP_SECRET": "x"}, "4.3.0"),
    ("constants, short methods", 'MINOR = 2 # !\ndef to_s() = "4.#{MINOR}.#{patch}"\ndef patch = 7\n', {}, "4.2.7"),
    ("class methods, other line ends", "def self.to_s\r\n  '4.2.7' # so\r\nend\r\n", {}, "4.2.7"),
    ("metadata under two conditions", parts("4.6.1", to_s=only_if("&& !prerelease.present?")), META, "4.6.1+pr-7"),
    ("or conditions that cannot be read", parts("4.6.1", "'rc.1'", to_s=only_if("&& own?(1)")), META, "4.6.1-rc.1"),
    ("metadata behind a method's text", flags("4.1.4", suffix="flags << '+own' if own?(1)"), {}, "4.1.4"),
    ("metadata behind what is not needed", flags("4.1.4", suffix='a = B.c\n  a << "+own"\n  "+x"'), {}, "4.1.4+x"),
    ("metadata in a block", parts("4.6.1", to_s=METADATA_IN_A_BLOCK), META, "4.6.1+pr-7"),
    ("metadata that cannot be read", parts("4.6.1", build_metadata="`git describe`"), META, "4.6.1"),
    ("metadata of a variable that cannot be read", parts("4.6.1", to_s=METADATA_OF_A_VARIABLE), META, "4.6.1"),
    ("the end of a suffix that cannot be read", flags("4.1.4", suffix='"+own.#{`date`}"'), {}, "4.1.4+own."),
    ("metadata of any characters", parts("4.3.0"), {"MASTODON_VERSION_METADATA": "\N{SNOWMAN}" * 99}, "4.3.0+_"),
    ("a condition that does not hold", flags("4.1.0", suffix="'+own' if 'x'.blank?"), {}, "4.1.0"),
    ("unless", 'def to_s\n  a = ["4.2.7"]\n  a << "-x" unless a.present?\n  a.join.to_s.freeze\nend\n', {}, "4.2.7"),
)
def test_version_equals_the_running_servers(
    source: str, environment: Mapping[str, str], expected: str, tmp_path: Path
) -> None:
    """The text is the very one that this Mastodon or fork reports."""
    text = settings(f"<%= {FETCH} %>", f"<%= {FETCH.replace('METADATA', 'PRERELEASE')} %>")
    assert read_tree_version(write_tree(tmp_path, source, text), environment).text == expected


@cases(
    "text environment expected",
    ("plain", settings(f"<%= {FETCH} %>"), META, "4.7.6+pr-7"),
    ("plain and unset", settings(f"<%= {FETCH} %>"), {}, "4.7.6"),
    ("as JSON", settings(f"<%= {FETCH}&.to_json %>"), META, "4.7.6+pr-7"),
    ("as JSON and unset", settings(f"<%= {FETCH}&.to_json %>"), {}, "4.7.6"),
    ("glitch-soc", settings(f"<%= ['glitch', {FETCH}].compact_blank.join('.').to_json %>"), META, "4.7.6+glitch.pr-7"),
    ("a literal", settings("own", "'rc.1'"), {}, "4.7.6-rc.1+own"),
    ("YAML takes # for a comment", settings(f"<%= {FETCH} %>"), {"MASTODON_VERSION_METADATA": "#x"}, "4.7.6"),
    ("null", settings("~", "null"), {}, "4.7.6"),
    ("production overrides", settings("own", rest="production:\n  version:\n    metadata: live\n"), {}, "4.7.6+live"),
    ("other sections do not", settings("own", rest="test:\n  version:\n    metadata: no\n"), {}, "4.7.6+own"),
    (
        "nor do others' versions",
        settings("own", rest="  custom:\n    version: no\n    metadata: no\n"),
        {},
        "4.7.6+own",
    ),
    ("no such section", "shared:\n  source:\n    tag: x\n", META, "4.7.6"),
)
def test_settings_file(text: str, environment: Mapping[str, str], expected: str, tmp_path: Path) -> None:
    """From 4.4 on, what `config/mastodon.yml` makes of the environment counts."""
    assert read_tree_version(write_tree(tmp_path, configured("4.7.6"), text), environment).text == expected


def test_no_settings_file(tmp_path: Path) -> None:
    """A tree without one takes the environment as Mastodon's own file does, so that a nightly is not a release."""
    assert read_tree_version(write_tree(tmp_path, configured("4.7.0")), PRE).text == "4.7.0-nightly.2026-07-24"


@pytest.mark.parametrize(
    ("paths", "installed", "kind"),
    [
        (["live"], "4.5.19", InstallKind.SOURCE),
        (["live"], "v4.5.19", InstallKind.SOURCE),
        (["live"], "4.7.0-beta.1", InstallKind.SOURCE),
        (["live"], "4.5.19+glitch", InstallKind.FORK),
        (["live"], "4.5.19-bark", InstallKind.FORK),
        ([], "4.5.19", InstallKind.DOCKER),
        (["live", "etc/yunohost"], "4.5.19", InstallKind.YUNOHOST),
        (["live", "etc/NIXOS"], "4.5.19", InstallKind.NIXOS),
    ],
)
def test_kind(tmp_path: Path, paths: list[str], installed: str, kind: InstallKind) -> None:
    """By what the system has, by the tree, and by what the version says of itself."""
    for path in paths:
        (tmp_path / path).mkdir(parents=True)
    assert detect_kind(tmp_path / "live", version(installed), tmp_path) is kind
