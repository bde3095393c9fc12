"""Run the experiments under several Pythons and start methods, each Python in an environment of its own.

    make matrix PYTHONS="3.11 3.12 3.13" METHODS="spawn fork forkserver" ARGS="round_trips -p pairs=4"

Results are in results/matrix/PYTHON-METHOD; environments in .venv/matrix. What is not found is left out, and said.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".venv" / "matrix"
# what the experiments need besides the standard library
NEEDED = ("pyperf", "psutil")
ASK = "import sys, json, multiprocessing as m; print(json.dumps([sys.version_info[:2], m.get_all_start_methods()]))"
OLDEST = (3, 11)


class LeftOut(Exception):
    """Something cannot be run here; the message says what, and why."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that is on this machine."""

    path: Path
    methods: list[str]  # start methods


def find(version: str) -> Interpreter:
    """Return an interpreter of a version such as "3.12"; LeftOut when there is none that runs, or it is too old."""
    try:
        wanted = tuple(map(int, version.split(".")))
    except ValueError:
        raise LeftOut(f"{version}: write versions like 3.12") from None
    if wanted < OLDEST:
        raise LeftOut(f"{version}: Python 3.11 or newer is needed")
    for path in candidates(version):
        answer = _said([str(path), "-c", ASK])
        found, methods = json.loads(answer) if answer else ([], [])
        if tuple(found) == wanted[:2]:
            return Interpreter(path, methods)
    raise LeftOut(f"{version}: no such Python was found; `uv python install {version}` brings one")


def candidates(version: str) -> Iterator[Path]:
    """Yield where an interpreter of a version may be: this one, what uv knows, and what pyenv has."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    if said := _said(["uv", "python", "find", "--no-project", version]):
        yield Path(said)
    yield from of_pyenv(version)
    if os.name == "nt" and (said := _said(["py", f"-{version}", "-c", "import sys; print(sys.executable)"])):
        yield Path(said)


def of_pyenv(version: str) -> list[Path]:
    """Return the interpreters of a version, such as "3.12", that pyenv has, the newest first."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    # `Path.glob` fails in a folder that this user may not read
    return [Path(name) for name in sorted(glob.glob(f"{root}/versions/{version}*/bin/python"), reverse=True)]  # noqa: PTH207


def _said(command: list[str]) -> str:
    """Return what a command says, without the line's end; nothing when it fails or is not there."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, env=_environment())
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def _environment() -> dict[str, str]:
    # uv lies beside this Python
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def environment(version: str, interpreter: Interpreter) -> Path:
    """Return the Python of an environment for a version, which is made if need be; LeftOut when that fails."""
    folder = ENVIRONMENTS / version
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _said([str(python), "-c", f"import {', '.join(NEEDED)}; print('there')"]) != "there":
        pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith(NEEDED)]
        _do(version, [str(interpreter.path), "-m", "venv", "--clear", str(folder)])
        _do(version, [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins])
    return python


def _do(version: str, command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip()).splitlines()[-1:]
        raise LeftOut(f"{version}: no environment could be made: {' '.join(last)}")


def run(versions: list[str], methods: list[str], arguments: list[str], out: Path) -> list[str]:
    """Run the experiments for each version and method; return what was left out, a line each."""
    left_out = []
    for version in versions:
        try:
            interpreter = find(version)
            python = environment(version, interpreter)
        except LeftOut as why:
            left_out.append(str(why))
            continue
        for method in methods:
            name = f"{version}-{method}"
            if method not in interpreter.methods:
                left_out.append(f"{name}: here there are {', '.join(interpreter.methods)}")
                continue
            print(f"== {name}", flush=True)
            command = [str(python), "-m", "helpers.experiments", "run", *arguments, "-p", f"method={method}"]
            if code := subprocess.run([*command, "--out", str(out / name)], cwd=ROOT).returncode:
                left_out.append(f"{name}: the experiments ended with exit code {code}")
    return left_out


def main() -> int:
    """Do what the command line says; the exit code is 1 when something was left out."""
    parser = argparse.ArgumentParser("python -m tools.matrix", description="Experiments under several Pythons.")
    parser.add_argument("--pythons", default="3.11 3.12 3.13", help="versions, with blanks between them")
    parser.add_argument("--methods", default="spawn fork forkserver", help="start methods, with blanks between them")
    parser.add_argument("--out", type=Path, default=Path("results/matrix"), help="folder for the folders of results")
    options, arguments = parser.parse_known_args()
    left_out = run(options.pythons.split(), options.methods.split(), arguments, options.out.resolve())
    print(*(f"left out: {line}" for line in left_out), sep="\n")
    return int(bool(left_out))


if __name__ == "__main__":
    sys.exit(main())
