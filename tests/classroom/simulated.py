"""A class that answers, repairs and measures by a seed, as files of forty people, some of them damaged."""

import json
import random

from helpers.classroom.lines import Line, head

MISTAKE = "You hold the lock while you write, but not while you read."
WHEN = "2025-03-01T10:{:02}:00+00:00"


def file_of(nickname, key, chance):
    """Return what one person shared: two answers, a verdict, an exercise and two measurements."""
    first, now = chance.choice(["9:59", "10:00"]), chance.choice(["10:00", "10:59", "10:59"])
    solved = chance.random() < 0.5
    question, till = {"lesson": "shared_memory", "name": "torn"}, {"lesson": "shared_memory", "name": "till"}
    lines = [
        Line(kind="answer", **question, answer=first, when=WHEN.format(0)),
        Line(kind="answer", **question, answer=now, when=WHEN.format(5)),
        Line(kind="verdict", **question, answer=now, right=now == "10:59", when=WHEN.format(6)),
        Line(kind="answer", **question, answer="10:59", when=WHEN.format(7)),
        Line(kind="exercise", **till, answer="wrong", mistake=MISTAKE, when=WHEN.format(9)),
        *[Line(kind="exercise", **till, answer="right", right=True, when=WHEN.format(11))]
        * solved,
        Line(kind="duration", lesson="round_trips", name="Pipe, 100 bytes", value=chance.uniform(1, 9) * 1e-5,
             when=WHEN.format(12)),
        Line(kind="share", lesson="races", name="4 workers", count=chance.randrange(20), runs=20, when=WHEN.format(13)),
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in [head(nickname, key), *lines])


def write_class(folder, people=40, seed=1):
    """Write a class into a folder, and return the content of each file by its name."""
    chance = random.Random(seed)
    files = {}
    for number in range(people):
        key = f"{number:08x}"
        files[f"P{number}-{key}.jsonl"] = file_of(f"P{number}", key, chance)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return files


def spoil(folder, files):
    """Damage four files and send one twice; return the names of the five, and what is to be said of each."""
    empty, cut, other, newer, twice = list(files)[:5]
    (folder / empty).write_bytes(b"")
    lines = files[cut].splitlines()
    (folder / cut).write_text("\n".join([lines[0], lines[1][:20], *lines[2:], ""]), encoding="utf-8")
    (folder / other).write_bytes(b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.")
    first = json.loads(files[newer].splitlines()[0]) | {"version": 2}
    (folder / newer).write_text(json.dumps(first) + "\n", encoding="utf-8")
    again = twice.replace(".jsonl", " (1).jsonl")
    (folder / again).write_text(files[twice], encoding="utf-8")
    return {
        empty: "is empty",
        cut: "1 of",
        other: "holds something else",
        newer: "was written by a newer Talking Processes",
        again: f"once more, as {again}",
    }
