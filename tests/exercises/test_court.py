"""Whatever a learner's program does, the check ends, says what it was, and leaves nothing."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers import control
from helpers.control import Failure
from helpers.control.run import Execution
from helpers.exercises.check import catch_it
from helpers.exercises.form import checks
from helpers.exercises.form.checks import last_words, told
from helpers.exercises.form.court import judged
from helpers.exercises.form.desk import Desk
from helpers.exercises.form.exercise import Exercise
from helpers.exercises.form.finding import Kind
from helpers.exercises.interleavings import lowest
from helpers.exercises.processes import cut_short, guard
from helpers.exercises.shared_memory import till
from helpers.exercises.synchronisation import missed_bell
from tests.exercises import misbehaviour

ROOT = Path(__file__).parents[2]
CASES = [
    (misbehaviour.DIES, Kind.CRASHED, "cashier 1 left with exit code 3"),
    (misbehaviour.RAISES, Kind.CRASHED, r"no attribute 'vallue' \(till.py, line 5\)"),
    (misbehaviour.LOOPS, Kind.HANGS, "a loop that does not end.\nIt is here: till.py, line [56] in put_in"),
    (misbehaviour.LOOKS_FOR_EVER, Kind.HANGS, "changes nothing any more"),
    (misbehaviour.TAKES_TURNS_FOR_EVER, Kind.HANGS, "comes to no end.\n2,000 steps did not come to an end"),
    (misbehaviour.LOOPS_AT_IMPORT, Kind.HANGS, "a loop that does not end.\nIt is here: till.py, line [45] in <module>"),
    (misbehaviour.ASKS, Kind.CRASHED, "EOFError"),
    (misbehaviour.LEAVES, Kind.WRONG, "comes to None"),
    (misbehaviour.DEFINES_NOTHING, Kind.CRASHED, "name 'put_in' is not defined"),
    (misbehaviour.NO_PYTHON, Kind.CRASHED, "cannot read it in line 4"),
    (misbehaviour.LEAKS, Kind.LEAKS, "left 1 block of shared memory"),
    (misbehaviour.CHEATS, Kind.WRONG, "comes to 10, not to 20"),
]


@pytest.mark.parametrize(("part", "kind", "words"), CASES)
def test_each_way_to_fail_is_told_apart(part, kind, words):
    finding = judged(till, till.with_part(part))
    assert finding.kind is kind, finding
    assert re.search(words, finding.words), finding.words
    # what she reads is about her program, and not about what has run it
    assert str(Path(control.__file__).parent) not in finding.story


def test_who_waits_out_of_sight_is_not_said_to_go_on():
    run = Execution(reason="livelock", words="ann has come to no operation for 5 s", is_stuck=True)
    finding = told(Failure("livelock", None, (), run), 20)
    assert finding.kind is Kind.HANGS
    assert re.search("waits for what nobody here can see.\nann has come to no", finding.words), finding.words


def test_a_deadlock_says_who_waits_in_which_line_for_what_and_who_holds_it():
    finding = judged(till, till.with_part("def put_in(till, amount):\n    till.get_lock().acquire()\n"))
    assert finding.kind is Kind.HANGS
    assert re.search(r"cashier 2 waits in acquire for Value 1, held by cashier 1 \(line 5\)", finding.words)


def test_an_order_that_is_not_possible_is_told_by_the_learners_own_count():
    finding = judged(cut_short, cut_short.with_part('schedule = ["office", "office", "office", "clerk"]\n'))
    assert finding.words.endswith("its step 4 is for `clerk`, but nobody of that name is there yet, or any more.")


def test_the_last_word_of_a_script_is_its_error_and_not_the_end_of_a_long_advice():
    errors = "  File 1\nRuntimeError: \n        An attempt has\n        been made.\n\n        Read section 3\n"
    assert last_words(errors) == "RuntimeError: An attempt has been made."
    assert last_words("['screw', 'wheel']") == "['screw', 'wheel']"


def test_of_a_scripts_traceback_the_lines_of_the_script_are_told():
    finding = judged(guard, guard.with_part(guard.skeleton + "pass\n"))
    assert finding.kind is Kind.CRASHED
    assert finding.story == "guard.py, line 10, in <module>: child.start()"


def test_what_is_to_be_looked_at_again_stands_line_by_line():
    says = checks.Says("codes", {"a, b": 1, "c": 2, "d": 3}, "Not all of them.")
    finding = says.judge(checks.Attempt("", "", "codes = {'a, b': 0, 'c': 0, 'd': 3}"))
    assert finding is not None and finding.words == "Not all of them. Look again at:\n- a, b\n- c"


def test_a_choice_may_be_written_with_a_capital_or_without_its_article():
    says = checks.Says("take", {"jobs": "a queue", "number": "shared memory", "count": 3}, "Not all of them.")
    said = "take = {'jobs': 'Queue', 'number': ' Shared Memory', 'count': 3}"
    assert says.judge(checks.Attempt("", "", said)) is None
    wrong = says.judge(checks.Attempt("", "", said.replace("'Queue'", "'a pipe'")))
    assert wrong is not None and wrong.words.endswith("Look again at:\n- jobs")


def test_stages_are_told_while_it_works():
    stages = []
    judged(till, till.reference, stages.append)
    assert stages == ["check 1 of 2", "check 2 of 2"]


def test_the_deadline_ends_all_that_was_started(tmp_path):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    begin = time.monotonic()
    finding = judged(till, till.with_part(misbehaviour.LOOPS_AT_IMPORT), deadline=0.5)
    assert finding.kind is Kind.HANGS and "0.5 s" in finding.words
    assert time.monotonic() - begin < 10
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_nothing_of_a_killed_check_outlives_it():
    """What runs under control is in sessions of its own, and must notice that its judge has gone."""
    seen, before = set(), set(psutil.Process().children(recursive=True))

    def look(_):
        # from now on the judge has children
        deadline = time.monotonic() + 20
        while not seen and time.monotonic() < deadline:
            judges = set(psutil.Process().children()) - before
            seen.update(*(judge.children(recursive=True) for judge in judges))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged(till, till.with_part(misbehaviour.LOOPS), look)
    assert seen
    gone, alive = psutil.wait_procs(seen, timeout=20)
    assert [process.cmdline() for process in alive] == []


@pytest.mark.thorough
def test_a_program_is_right_too_where_python_keeps_what_it_has_compiled():
    judge_it = "from helpers.exercises.shared_memory import till; from helpers.exercises.form.court import judged; "
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", f"{judge_it} print(judged(till, till.reference).kind.name)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout == "RIGHT\n"


@pytest.mark.thorough
def test_a_block_that_is_leaked_does_not_stay_behind():
    # a name that no other test uses meanwhile
    name = f"leaked_{os.getpid()}_"
    finding = judged(till, till.with_part(misbehaviour.LEAKS.replace("leaked_", name)))
    assert finding.kind is Kind.LEAKS
    # the resource tracker of the process that judged frees it once that has ended
    until = time.monotonic() + 20
    while (left := list(Path("/dev/shm").glob(f"{name}*"))) and time.monotonic() < until:
        time.sleep(0.01)
    assert left == []


def test_the_judge_reads_its_job_from_a_folder_and_fails_aloud_without_one(tmp_path):
    done = subprocess.run([sys.executable, "-m", "helpers.exercises.form.judge", str(tmp_path)], capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert done.returncode != 0 and "FileNotFoundError" in done.stderr


def test_what_a_program_has_left_running_does_not_delay_the_verdict():
    left = Exercise(
        name="left",
        kind="build it",
        task="leave somebody behind",
        source="""
import time
from multiprocessing import get_context

# yours
# solution
# given
def measured():
    get_context("spawn").Process(target=time.sleep, args=(60,)).start()
    return 1.0
""",
        hints=["join"],
        checks=[checks.Quick("measured")],
    )
    before, begin = set(psutil.Process().children(recursive=True)), time.monotonic()
    assert judged(left, left.with_part("changed = True\n")).kind is Kind.RIGHT
    assert time.monotonic() - begin < 30
    gone, alive = psutil.wait_procs(set(psutil.Process().children(recursive=True)) - before, timeout=20)
    assert alive == []


def test_a_program_with_no_end_of_orders_is_not_called_right(monkeypatch):
    monkeypatch.setattr(checks, "RUNS", 1)
    finding = checks.Always("count_locked", 5).judge(checks.Attempt("helpers.lessons.check", "", ""))
    assert finding is not None and finding.kind is Kind.UNKNOWN
    assert "too many orders" in finding.words


@pytest.mark.parametrize(
    ("hers", "reference", "kind"),
    [
        ([1.9], [1.0], None),
        ([9.0, 9.0, 9.0, 1.9], [1.0], None),  # three times something else ran
        ([9.0, 2.1, 2.2, 2.1, 2.1], [1.0], Kind.SLOW),
        ([3.0, 3.1, 3.1, 3.1], [2.0, 1.0], Kind.SLOW),  # something else ran beside the reference
    ],
)
def test_only_what_is_slow_each_time_it_is_measured_is_slow(hers, reference, kind, monkeypatch):
    times = {"hers": iter([*hers, *hers[-1:] * 9]), "reference": iter([*reference, *reference[-1:] * 9])}
    monkeypatch.setattr(checks.Program, "call", lambda program: next(times[program.module]))
    finding = checks.Quick("measured").judge(checks.Attempt("hers", "reference", ""))
    assert (finding and finding.kind) == kind


def test_an_order_that_must_be_computed_is_asked_for_in_full():
    finding = judged(lowest, lowest.with_part('schedule = ["a"] * 2 + ["b"] * 5\n'))
    assert finding.kind is Kind.WRONG and "written out" in finding.words


def test_a_test_that_refuses_what_is_right_is_told_so():
    finding = judged(catch_it, catch_it.with_part(catch_it.solution_part.replace("money >= 0", "money < 0")))
    assert finding.kind is Kind.WRONG and finding.words.startswith("Your test finds fault with `careful`"), finding


def test_a_skeleton_is_not_told_a_mistake():
    look = missed_bell.recognised(missed_bell.skeleton, Kind.NOT_ATTEMPTED)
    assert look, "the test needs a skeleton that looks like a mistake"
    assert look.words not in Desk(missed_bell).check().words
