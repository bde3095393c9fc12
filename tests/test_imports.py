"""The plan of the house: who may import whom, and what a child process has to load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HELPERS = ROOT / "helpers"
CORE = sorted((HELPERS / "core").glob("*.py"))
SHOW = sorted((HELPERS / "show").glob("*.py"))
LESSONS = sorted(path for path in HELPERS.glob("*.py") if path.stem not in ("__init__", "execute"))
HEAVY = {"matplotlib", "numpy", "ipywidgets", "anywidget", "pandas", "IPython", "psutil"}


def modules_named_in(path):
    """Return every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def of_this_project(path):
    return {name for name in modules_named_in(path) if name.startswith("helpers")}


@pytest.mark.parametrize("package", [HELPERS, HELPERS / "core"], ids=["helpers", "helpers.core"])
def test_packages_that_children_import_hold_a_docstring_and_nothing_else(package):
    body = ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1 and isinstance(body[0].value, ast.Constant)


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_imports_core_and_the_standard_library(path):
    assert all(name.startswith("helpers.core") for name in of_this_project(path))
    others = {name.split(".")[0] for name in modules_named_in(path)} - {"helpers"}
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_module_imports_core_and_no_other_lesson(path):
    allowed = ("helpers.core", "helpers.show")
    assert all(name == "helpers" or name.startswith(allowed) for name in of_this_project(path))


@pytest.mark.parametrize("path", SHOW, ids=lambda path: path.stem)
def test_show_imports_core_and_itself(path):
    allowed = ("helpers.core", "helpers.show")
    assert all(name == "helpers" or name.startswith(allowed) for name in of_this_project(path))


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_never_prints(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    prints = [call for call in calls if getattr(call.func, "id", "") == "print"]
    # what a child wrote to standard error is passed on there, and nowhere else
    assert [call for call in prints if not any(word.arg == "file" for word in call.keywords)] == []


@pytest.mark.parametrize("path", [*CORE, *LESSONS], ids=lambda path: path.stem)
def test_what_a_child_imports_is_light(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    code = f"import sys, {name}; print(*{{module.split('.')[0] for module in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not HEAVY & set(loaded.stdout.split())
