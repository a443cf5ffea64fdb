"""The tree of modules and the copyright file are made of wheels, all of which they hold."""

import zipfile
from pathlib import Path

import pytest
from tools.deb.notices import copyright_file
from tools.deb.tree import SYSTEM_AUTHORITIES, Distribution, merge
from tools.deb.wheels import excerpt

LICENCE = "Permission is granted."
METADATA = "Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nAuthor: Ada\nLicense-Expression: MIT\n\nA long story.\n"


def wheel(directory: Path, name: str, tag: str = "py3-none-any", **files: str) -> Distribution:
    """Make a wheel with these files; `__` in a name stands for a slash."""
    path = directory / f"{name}-1.0-{tag}.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", METADATA.format(name=name))
        archive.writestr(f"{info}/WHEEL", f"Tag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr(f"{info}/licenses/LICENSE", LICENCE)
        for file, text in files.items():
            archive.writestr(file.replace("__", "/").replace("_dot_", "."), text)
    return Distribution(path)


def test_merged(tmp_path: Path) -> None:
    """Compiled files of several Pythons are side by side, and common files are there once."""
    first = wheel(tmp_path, "a", "cp311-cp311-linux", a__core_dot_py="x", a__so_dot_cpython_311_dot_so="1")
    second = wheel(tmp_path, "a", "cp313-cp313-linux", a__core_dot_py="x", a__so_dot_cpython_313_dot_so="2")
    merge([first, second], tmp_path / "tree")
    found = sorted(path.name for path in (tmp_path / "tree" / "a").iterdir())
    assert found == ["core.py", "so.cpython_311.so", "so.cpython_313.so"]


def test_only_runtime_files_are_packed(tmp_path: Path) -> None:
    """Scripts, tests, stubs, licences and descriptions stay behind; what says which version it is does not."""
    made = wheel(
        tmp_path,
        "a",
        **{
            "a__core_dot_py": "x",
            "a__core_dot_pyi": "x",
            "a__tests__t_dot_py": "x",
            "a-1_dot_0_dot_data__scripts__a": "x",
        },
    )
    merge([made], tmp_path / "tree")
    files = sorted(
        str(path.relative_to(tmp_path / "tree")) for path in (tmp_path / "tree").rglob("*") if path.is_file()
    )
    assert files == ["a-1.0.dist-info/METADATA", "a/core.py"]
    metadata = (tmp_path / "tree" / "a-1.0.dist-info" / "METADATA").read_text()
    assert ("Version: 1.0" in metadata, "story" in metadata) == (True, False)


def test_files_that_would_take_the_place_of_others(tmp_path: Path) -> None:
    """Two wheels that would overwrite each other's files, or a module called like one of Python's, end the build."""
    with pytest.raises(ValueError, match=r"b has another x\.py"):
        merge([wheel(tmp_path, "a", x_dot_py="1"), wheel(tmp_path, "b", x_dot_py="2")], tmp_path / "tree")
    with pytest.raises(ValueError, match="json"):
        merge([wheel(tmp_path, "a", json_dot_py="1")], tmp_path / "other")


def test_authorities_of_the_system(tmp_path: Path) -> None:
    """No list of certificate authorities grows old in the package."""
    merge([wheel(tmp_path, "certifi", certifi__cacert_dot_pem="old")], tmp_path / "tree")
    assert str((tmp_path / "tree" / "certifi" / "cacert.pem").readlink()) == SYSTEM_AUTHORITIES


def test_copyright(tmp_path: Path) -> None:
    """Every distribution has its section, with author, licence and the licence's text; the order does not matter."""
    parts = '{"components": [{"name": "crate", "version": "2", "licenses": [{"expression": "Zlib"}]}]}'
    a = wheel(tmp_path, "a", **{"a-1_dot_0_dot_dist-info__sboms__a_dot_json": parts})
    b = wheel(tmp_path, "b")
    text = copyright_file("Our licence.", [b, a])
    assert copyright_file("Our licence.", [a, b]) == text
    assert text.index("Our licence.") < text.index("a 1.0") < text.index("crate 2: Zlib") < text.index("b 1.0")
    assert 2 == text.count("Authors: Ada") == text.count(LICENCE)


def test_common_licences(tmp_path: Path) -> None:
    """A licence that every Debian system has is named, not repeated."""
    apache = "   Apache License\n  Version 2.0, January 2004\n" + "word " * 2000
    text = copyright_file(apache, [wheel(tmp_path, "a")])
    assert ("/usr/share/common-licenses/Apache-2.0" in text, "word word" in text) == (True, False)


def test_excerpt_of_a_lock() -> None:
    """Of a lock list only the wanted distributions remain, with all their hashes."""
    lock = "a==1 \\\n    --hash=sha256:1\nb-c==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n    # via a\n"
    assert excerpt(lock, {"b-c"}) == "b-c==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n    # via a\n"
