"""The values that systemd reads from an environment file of a unit; acceptance asks systemd itself."""

MEANT = {
    "a": "a",
    " a b ": "a b",
    "a # no comment": "a # no comment",
    "$HOME ${X} $(id)": "$HOME ${X} $(id)",
    "'a b' ": "a b",
    "'a\\b'": "a\\b",
    '"a\\"b\\$c\\\\d\\e"': 'a"b$c\\d\\e',
    "'a''b'\"c\"d": "abcd",
    "it's": "it's",
    "a\\ b\\'": "a b'",
    "a\\\nb": "ab",
    '"a\\\nb"': "ab",
    "'a\nb'": "a\nb",
    "a\\  ": "a ",
    "": "",
    "'open\nto the end": "open\nto the end",
}
"""As it is written behind the `=`, at the end of the file, and what is meant."""
