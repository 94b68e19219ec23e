"""Files that are whole or absent, and digests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from wusum.train.cache import code_digest, digest_of, file_digest, read_json, write_atomically, write_json


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.npz"

    def failing(scratch: Path) -> None:
        assert (scratch.parent, scratch.suffix) == (path.parent, ".npz")
        scratch.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, failing)
    assert list(path.parent.iterdir()) == []
    write_atomically(path, lambda scratch: scratch.write_text("first", encoding="utf-8"))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, failing)
    assert [(file.name, file.read_text(encoding="utf-8")) for file in path.parent.iterdir()] == [("table.npz", "first")]
    write_atomically(path, lambda scratch: scratch.write_text("second", encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == "second"


def test_a_folder_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows"

    def write(scratch: Path) -> None:
        scratch.mkdir()
        (scratch / "one").touch()

    def failing(scratch: Path) -> None:
        write(scratch)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        write_atomically(path, failing)
    assert list(tmp_path.iterdir()) == []
    write_atomically(path, write)
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*")] == ["rows", "rows/one"]


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"نص": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value
    assert "نص" in (tmp_path / "value.json").read_text(encoding="utf-8")


def test_digests_differ_where_the_parts_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a")
    digests = [digest_of("a", 1), digest_of("a", "1"), digest_of("a1"), digest_of(("a", 1)), digest_of()]
    assert len(set(digests)) == len(digests)
    assert digest_of("a", 1) == digests[0]
    assert {len(digest) for digest in digests} == {32}
    # The beginning of SHA-256 of "a", as FIPS 180-4 defines it.
    assert file_digest(tmp_path / "file") == "ca978112ca1bbdca"


CODE = """from dataclasses import dataclass


@dataclass
class Settings:
    speed: int = 3

    def faster(self):
        return self.speed + 1
"""
SAME_CODE = """# A comment.
'''The module.'''
from dataclasses import dataclass
@dataclass
class Settings:
    "A class."
    speed : int = 3
    '''A field.'''
    def faster(self):
        "A method."
        return (self.speed +
                1)
"""


@pytest.fixture
def digest(tmp_path: Path) -> Callable[[str, str], str]:
    """A function that returns the digest of a package with a module below it of some name and code."""

    def made(name: str, code: str) -> str:
        folder = tmp_path / digest_of(name, code)
        (folder / "below").mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / "below" / f"{name}.py").write_text(code, encoding="utf-8")
        package = ModuleType("proof")
        package.__path__ = [str(folder)]
        return code_digest(package)

    return made


def test_code_is_the_same_whatever_its_comments_docstrings_and_format(digest: Callable[[str, str], str]) -> None:
    before = digest("deep", CODE)
    assert len(before) == 32
    assert digest("deep", SAME_CODE) == before


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deep", CODE.replace("3", "4")),
        ("deep", CODE.replace("+", "-")),
        ("deep", CODE + "print('not a docstring')\n"),
        ("deep", CODE.replace("@dataclass\n", "")),
        ("other", CODE),
    ],
)
def test_any_change_of_the_code_is_another_digest(digest: Callable[[str, str], str], name: str, code: str) -> None:
    assert digest(name, code) != digest("deep", CODE)


def test_the_code_of_several_packages_and_of_a_single_module_has_a_digest() -> None:
    from wusum.train import cache, data, tagging

    both = code_digest(data, tagging)
    assert both == code_digest(data, tagging)
    assert len({both, code_digest(data), code_digest(tagging), code_digest(cache)}) == 4
