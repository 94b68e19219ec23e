from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutation.__main__ import PROJECT, main
from tests.mutation.mutants import Mutant, make_mutants, one_line
from tests.mutation.recording import Recordings, Test, choose
from tests.mutation.run import equivalent
from tests.mutation.trees import MARK, Project, Tree, grow, scratch_folder, take_snapshot

TINY = '''\
"""A module."""

from functools import cache

LIMIT = 3


def is_small(number):
    """Return whether a number is small."""
    return number < LIMIT


def total(numbers):
    """Return a sum."""
    result = 0
    for number in numbers:
        result += number
    return result


def greeting():
    """Return a text."""
    return {"text": "hello"}["text"]


@cache
def remembered():
    """Return a constant."""
    return (1,)


def unused(flag):
    """Return nothing of interest."""
    return not flag
'''

TESTS = """\
import multiprocessing
import subprocess
import sys

import pytest

from wusum.model.tiny import is_small, remembered, total


@pytest.fixture(scope="module")
def summed():
    return total([1, 2])


def test_two_is_small_but_four_is_not():
    assert is_small(2)
    assert not is_small(4)


def test_total(summed):
    assert summed == 3


def test_greeting_in_another_process():
    code = "from wusum.model.tiny import greeting; print(greeting())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "hello\\n"


def test_total_in_a_new_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(total, ([3],)) == 3


@pytest.mark.parametrize("time", [1, 2])
def test_remembered(time):
    assert remembered() == (1,)


def test_that_fails_always():
    assert total([0]) == 1
"""


def _changes(folder: Path, code: str) -> set[str]:
    """Return the statements that the mutants of a module have in place of its own."""
    (folder / "module.py").write_text(code, encoding="utf-8")
    return {mutant.after for mutant in make_mutants(folder, "module.py")}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("a < b", {"x = a <= b"}),
        ("a is None", {"x = a is not None"}),
        ("a in b and c", {"x = a not in b and c", "x = a in b or c"}),
        ("a + b // c", {"x = a - b // c", "x = a + b / c"}),
        ("not a", {"x = a"}),
        ("-a", {"x = a"}),
        ("a if b else c", {"x = a if not b else c"}),
        ("a if b == c else d", {"x = a if b != c else d"}),
        ("[a for a in b if a]", {"x = [a for a in b if not a]"}),
        ("0", {"x = 1"}),
        ("1", {"x = 0"}),
        ("2.5", {"x = 3.5"}),
        ("True", {"x = False"}),
        ("read('train')", {"x = read('test')", "x = read('validation')"}),
        ("a == 'key'", {"x = a != 'key'", "x = a == 'keyx'"}),
        ("a['key'].get('b')", {"x = a['keyx'].get('b')", "x = a['key'].get('bx')"}),
        ("' '.join(a)", {"x = ' x'.join(a)"}),
        ("'a text'", set()),
        ("min(a)", {"x = max(a)"}),
        ("a.startswith(b)", {"x = a.endswith(b)"}),
        ("sorted(a)", {"x = sorted(a, reverse=True)"}),
        ("f(a, key=b)", {"x = f(a)"}),
        ("f(a, encoding='utf-8', strict=True)", set()),
        ("a[b:c]", {"x = a[:c]", "x = a[b:]"}),
        ("{'a': b, 'c': d}", {"x = {'a': b}", "x = {'c': d}"}),
        ("f'{a < b} text'", {"x = f'{a <= b} text'"}),
        ("folder / 'name'", set()),
    ],
)
def test_mutants_of_an_expression(tmp_path: Path, code: str, changes: set[str]) -> None:
    assert _changes(tmp_path, f"x = {code}") == changes


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("return a", {"return None"}),
        ("return None", set()),
        ("return True", {"return False"}),
        ("if a:\n  print()", {"if not a:", "pass"}),
        ("while a:\n  break", {"while not a:", "continue"}),
        ("for b in a:\n  continue", {"break"}),
        ("a.b = a", {"pass"}),
        ("a[0] = a", {"pass", "a[1] = a"}),
        ("b = a", set()),
        ("a += 1", {"pass", "a -= 1", "a += 2"}),
        ("a.close()", {"pass"}),
        ("raise ValueError(f'{1 + 1}')", {"pass"}),
        ("b: list[0] = a", set()),
        ("log.info('%s', a < 1)", set()),
        ("match a:\n  case 'b':\n    pass", {"match a: case 'bx':"}),
    ],
)
def test_mutants_of_a_statement(tmp_path: Path, code: str, changes: set[str]) -> None:
    body = code.replace("\n", "\n    ")
    assert _changes(tmp_path, f'def f(a):\n    """A docstring."""\n    {body}\n') == changes


def test_defaults_are_mutated_but_not_decorators_type_hints_and_names(tmp_path: Path) -> None:
    code = "__all__ = ['a', 'b']\nif TYPE_CHECKING:\n  x = 1\n@cache(size=5)\ndef f(a: int | str = 2) -> 'train':\n  a"
    assert _changes(tmp_path, code) == {"def f(a: int | str=3) -> 'train':"}


def test_a_change_that_compiles_to_the_same_code_is_no_mutant(tmp_path: Path) -> None:
    assert _changes(tmp_path, "x = 0 + 0") == {"x = 1 + 0"}  # neither 0 - 0 nor, a second time, the sum 1


def test_samples_are_the_same_each_time_and_differ_by_seed(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = [\n" + "".join(f"{n},\n" for n in range(100)) + "]")
    samples = [make_mutants(tmp_path, "module.py", 10, seed) for seed in (0, 0, 1)]
    assert [len(sample) for sample in samples] == [10, 10, 10]
    assert samples[0] == samples[1] != samples[2]
    assert samples[0] == sorted(samples[0], key=lambda mutant: mutant.line)


def test_a_long_change_is_cut_around_the_difference() -> None:
    words = " ".join(map(str, range(100)))
    shown = one_line(words, words.replace(" 50 ", " + "))
    assert "49 50 51" in shown
    assert "49 + 51" in shown
    assert len(shown) < 220


def _mutant(lines: range) -> Mutant:
    return Mutant("model/a.py", 1, "", "", "", lines, "")


def _test(name: str, seconds: float, *lines: int, **fixtures: float) -> Test:
    return Test(f"tests/{name}", seconds, fixtures, {"model/a.py": frozenset(lines)} if lines else {})


def test_tests_that_run_the_lines_are_chosen_the_fast_ones_and_the_mirror_first(tmp_path: Path) -> None:
    slow, other, mirror = _test("b.py::t", 3, 5), _test("c.py::t", 0.01, 5), _test("model/test_a.py::t", 0.02, 5, 6)
    elsewhere = _test("d.py::t", 0.01, 7)
    fitted = _test("a.py::t", 0.01, 5, model=30.0)
    tests = [fitted, slow, other, mirror, elsewhere]
    assert choose(_mutant(range(4, 6)), tests, tmp_path, 100) == ([mirror, other, slow, fitted], 0)
    assert choose(_mutant(range(4, 6)), tests, tmp_path, 10) == ([mirror, other, slow], 1)
    assert choose(_mutant(range(4, 6)), [fitted], tmp_path, 10) == ([fitted], 0)


def test_code_that_no_test_is_known_to_run_is_tried_with_all_tests_of_its_module(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "x.py").write_text("from wusum.model import a, b")
    (tmp_path / "tests" / "y.py").write_text("from wusum.model import b")
    importing, other, running = _test("x.py::t", 1), _test("y.py::t", 1), _test("y.py::u", 1, 9)
    chosen, _ = choose(_mutant(range(0)), [importing, other, running], tmp_path, 100)
    assert chosen == [importing, running]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\n",
        "model/__init__.py": "",
        "model/tiny.py": TINY,
        "tests/__init__.py": "",
        "tests/model/__init__.py": "",
        "tests/model/test_tiny.py": TESTS,
    }
    for name, text in files.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project(tmp_path / "repository", ("model",), ())


@pytest.fixture
def tree(project: Project) -> Iterator[Tree]:
    with scratch_folder(project) as folder, grow(project, take_snapshot(project, folder), 1) as (tree,):
        yield tree


def test_a_mutant_that_never_ends_runs_out_of_time(tree: Tree) -> None:
    test = "tests/model/test_tiny.py::test_total"
    source = TINY.replace("for number in numbers:", "while True:\n        number = 1")
    assert tree.ask(module="model/tiny.py", source=source, tests=[test], limit=2)["code"] is None
    assert (tree.folder / "tree/model/tiny.py").read_text(encoding="utf-8") == TINY + MARK
    assert tree.ask(module="model/tiny.py", source=TINY, tests=[test], limit=60)["code"] == 0


def test_tests_that_do_not_exist_kill_no_mutant(tree: Tree) -> None:
    with pytest.raises(RuntimeError, match="could not be run"):
        tree.ask(module="model/tiny.py", source=TINY, tests=["tests/model/test_tiny.py::test_nothing"], limit=60)


def test_a_recording_has_the_lines_of_tests_and_of_their_fixtures(project: Project, tree: Tree) -> None:
    recordings = Recordings(project.root, project.root / "build", project.packages)
    file = "tests/model/test_tiny.py"
    tree.ask(tests=[file], record=str(recordings.path(file)), limit=60)
    by_name = {test.name.split("::")[1]: test for test in recordings.tests([file])}
    assert by_name["test_two_is_small_but_four_is_not"].lines["model/tiny.py"] == {10}
    assert by_name["test_total"].lines["model/tiny.py"] == {15, 16, 17, 18}
    assert by_name["test_total"].fixtures.keys() == {"summed"}
    assert by_name["test_remembered[1]"].lines == by_name["test_remembered[2]"].lines == {"model/tiny.py": {29}}
    assert recordings.failed([file]) == [f"{file}::test_that_fails_always"]
    before = recordings.path(file)
    (project.root / file).write_text(TESTS + "\n")
    assert recordings.path(file) != before


def test_survivors_are_reported_and_tried_again(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    report = project.root / "report.json"
    command = ["model/tiny.py", "--report", str(report)]
    assert main([*command, "--min-score", "0.9"], project) == 1
    result = json.loads(report.read_text())
    killed = {row["after"]: row["killed_by"] for row in result["mutants"]}
    test = "tests/model/test_tiny.py::test_"
    assert killed["return number <= LIMIT"] is None
    assert killed["LIMIT = 4"] is None
    assert killed["result -= number"] == f"{test}total"
    assert killed["return {'text': 'hello'}['textx']"] == f"{test}greeting_in_another_process"
    assert result["score"] == 10 / 14
    assert "model/tiny.py:10 is_small: return number < LIMIT  →  return number <= LIMIT" in capsys.readouterr().out
    assert (project.root / "model/tiny.py").read_text() == TINY
    assert not list((project.root / "build" / "mutation").glob("run-*"))

    (project.root / "tests/model/test_tiny.py").write_text(
        TESTS + "\n\ndef test_three_is_not_small():\n    assert not is_small(3)\n"
    )
    assert main([*command, "--again", str(report)], project) == 0
    again = json.loads(report.read_text())
    assert len(again["mutants"]) == 4
    assert {row["after"] for row in again["mutants"] if row["killed_by"]} == {"LIMIT = 4", "return number <= LIMIT"}


def test_mutants_that_are_listed_as_equivalent_are_not_tried(project: Project) -> None:
    listed = project.root / "tests" / "mutation" / "equivalent.toml"
    listed.parent.mkdir()
    row = {"module": "model/tiny.py", "function": "is_small", "before": "return number < LIMIT"}
    row |= {"after": "return number <= LIMIT", "reason": "only for this test"}
    listed.write_text("[[equivalent]]\n" + "".join(f'{key} = "{value}"\n' for key, value in row.items()))
    report = project.root / "report.json"
    main(["model/tiny.py", "--report", str(report)], project)
    assert "return number <= LIMIT" not in {row["after"] for row in json.loads(report.read_text())["mutants"]}


def test_each_mutant_listed_as_equivalent_is_one_of_its_module() -> None:
    listed = equivalent(PROJECT.root / "tests" / "mutation" / "equivalent.toml")
    made = {mutant.key for module in {key[0] for key in listed} for mutant in make_mutants(PROJECT.root, module)}
    assert listed <= made


def test_a_module_that_does_not_exist_is_an_error(project: Project) -> None:
    with pytest.raises(SystemExit, match=r"no module model/other\.py"):
        main(["model/other.py"], project)
