"""The plan of the house: who may import whom, and what a child process has to load."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HELPERS = ROOT / "helpers"
# each room imports from itself and from those below it
STOREYS = [
    "command_line",
    "exercises",
    "show",
    "experiments",
    "lessons",
    "control",
    "scheduling.real",
    "scheduling.model",
    "scheduling.program",
    "classroom",
    "measuring",
    "recording",
    "supervision",
    "progress",
    "workbook",
    "words",
    "questions",
    "cards",
    "atomic_write",
    "validate",
    "contexts",
    "gc_pause",
    "compat",
    "front_door",
]
FILES = sorted(HELPERS.rglob("*.py"))
HEAVY = {"matplotlib", "numpy", "ipywidgets", "anywidget", "pandas", "IPython", "psutil"}


@cache
def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(name):
    """Return the storey that a module of this project belongs to; packages that only open doors have none."""
    inner = name.removeprefix("helpers.")
    if inner.endswith("__main__"):
        # a program stands above all rooms, whichever room it belongs to
        return None
    return next((storey for storey in STOREYS if inner == storey or inner.startswith(f"{storey}.")), None)


def in_room(*rooms):
    return [path for path in FILES if (room_of(module_name(path)) or "").split(".")[0] in rooms]


LESSONS = [path for path in in_room("lessons") if path.stem != "__init__"]
PACKAGES = [path for path in FILES if path.stem == "__init__" and path not in in_room("show", "exercises")]
JUDGE = HELPERS / "exercises" / "form" / "judge.py"
PROGRAMS = [path for path in FILES if path.stem == "__main__"]
EXPERIMENTS = in_room("experiments")
CORE = [
    path
    for path in FILES
    if path not in [*in_room("show", "exercises", "lessons", "command_line"), *EXPERIMENTS, *PROGRAMS]
]


@cache
def nodes_of(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def modules_named_in(path):
    """Return every module that a file imports, at its top or inside a function."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_this_project(path):
    return {name for name in modules_named_in(path) if name.startswith("helpers")}


IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    before = set(sys.modules)
    importlib.import_module(name)
    print(name, *set(sys.modules) - before)
"""


@pytest.fixture(scope="module")
def loaded():
    """Import modules one after the other in a fresh process; return what each has loaded that was not there before."""
    names = [module_name(path) for path in [*PACKAGES, *CORE, *LESSONS, JUDGE]]
    command = [sys.executable, "-c", IMPORT_ALL, *dict.fromkeys(names)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT).stdout
    return {name: set(modules) for name, *modules in map(str.split, said.splitlines())}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_run_down_the_storeys_and_no_other_way(path):
    room = room_of(module_name(path))
    imported = {room_of(name) for name in of_this_project(path)} - {None}
    assert {other for other in imported if room and STOREYS.index(other) < STOREYS.index(room)} == set()


def imported_at_once(path):
    """Return the modules of this project that a file imports as soon as it is imported; not those for types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {module_name(each) for each in FILES}
    for node in (node for node in tree.body if isinstance(node, ast.ImportFrom)):
        inner = {f"{node.module}.{alias.name}" for alias in node.names} & names
        yield from inner or {node.module} & names


def test_no_imports_go_in_a_circle():
    graph = {module_name(path): set(imported_at_once(path)) for path in FILES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


def test_contributing_shows_the_same_storeys_in_the_same_order():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("| folder |")[2].partition("\n\n")[0]
    rows = [row.split("|") for row in table.splitlines()[2:]]
    shown = [name for row in rows for name in re.findall(r"`(\w+)(?:/|\.py)`", row[1])]
    assert shown == list(dict.fromkeys(storey.split(".")[0] for storey in STOREYS))
    inner = next(re.findall(r"`(\w+)/`", row[2]) for row in rows if "`scheduling/`" in row[1])
    assert [f"scheduling.{name}" for name in inner] == [name for name in STOREYS if name.startswith("scheduling.")]


def test_every_module_is_in_a_storey():
    # packages only open doors, and programs stand above
    plain = [path for path in FILES if path.stem not in ("__init__", "__main__")]
    assert [module_name(path) for path in plain if room_of(module_name(path)) is None] == []


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_instruments_need_the_standard_library_only(path):
    others = {name.split(".")[0] for name in modules_named_in(path)} - {"helpers"}
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize("path", LESSONS, ids=module_name)
def test_a_lesson_imports_no_other_lesson(path):
    assert {name for name in of_this_project(path) if name.startswith("helpers.lessons.")} == set()


@pytest.mark.parametrize("path", PACKAGES, ids=module_name)
def test_a_package_that_children_import_loads_nothing_before_it_is_asked(path, loaded):
    name = module_name(path)
    above = {".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 2)}
    assert {other for other in loaded[name] if other.startswith("helpers")} <= above | {"helpers.front_door"}


@pytest.mark.parametrize("path", [*CORE, *EXPERIMENTS], ids=module_name)
def test_instruments_never_print(path):
    prints = [node for node in nodes_of(path) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"]
    # what a child wrote to standard error is passed on there, and nowhere else
    assert [call for call in prints if not any(word.arg == "file" for word in call.keywords)] == []


@pytest.mark.parametrize("path", [*CORE, *LESSONS], ids=module_name)
def test_what_a_child_imports_is_light(path, loaded):
    assert not HEAVY & {module.split(".")[0] for module in loaded[module_name(path)]}


def test_the_process_that_judges_an_exercise_is_light(loaded):
    assert not HEAVY & {module.split(".")[0] for module in loaded[module_name(JUDGE)]}
