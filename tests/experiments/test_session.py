"""Sessions: from the command line, with progress; a session that was killed goes on, and nothing is mixed up."""

import subprocess
import sys
from dataclasses import replace

import pytest

from helpers.experiments import UnusableFile, plan, read_result, run_session
from helpers.experiments.__main__ import main
from helpers.experiments.catalogue import EXPERIMENTS
from helpers.measuring.results import Case

QUICK = ["crash", "free_runs"]
ONE = {"runs": "1"}


@pytest.fixture
def measured(monkeypatch):
    """Put two experiments of no cost into the place of all; return a list of those that were run."""
    ran = []

    def measure(name):
        def run(progress, **settings):
            ran.append(name)
            progress(1.0)
            return {"program": Case({"1": 1}, "lost an update", 0)}

        return run

    for name in QUICK:
        monkeypatch.setitem(EXPERIMENTS, name, replace(EXPERIMENTS[name], measure=measure(name), seconds=1.0))
    return ran


def test_progress_is_told_with_the_time_that_is_left(measured, tmp_path):
    told = []
    done = list(run_session(plan(QUICK), tmp_path, told.append))
    assert [(each.experiment, each.was_there) for each in done] == [("crash", False), ("free_runs", False)]
    assert [(each.experiment, each.number, each.experiments) for each in told[::2]] == [
        ("crash", 1, 2),
        ("free_runs", 2, 2),
    ]
    assert told[0].left == 2.0 and told[-1].left == 0.0


def test_what_is_there_is_not_measured_again(measured, tmp_path):
    list(run_session(plan(QUICK[:1], ONE), tmp_path))
    done = list(run_session(plan(QUICK, ONE), tmp_path))
    assert [each.was_there for each in done] == [True, False]
    assert measured == QUICK
    list(run_session(plan(QUICK, ONE), tmp_path, again=True))
    assert measured == QUICK * 2


def test_a_result_in_other_settings_or_by_another_python_is_not_taken_for_this_one(measured, tmp_path):
    (done,) = run_session(plan(["free_runs"], ONE), tmp_path)
    with pytest.raises(UnusableFile, match=r"free_runs.jsonl is another result: runs was 1, now it is 300\. .*--again"):
        run_session(plan(QUICK), tmp_path)
    assert measured == ["free_runs"]
    version = read_result(done.path).machine["python_version"]
    done.path.write_text(done.path.read_text(encoding="utf-8").replace(version, "2.7.1 (64-bit)"), encoding="utf-8")
    with pytest.raises(UnusableFile, match=r"Python was 2\.7\.1, now it is 3"):
        run_session(plan(["free_runs"], ONE), tmp_path)


def test_a_parameter_goes_to_each_experiment_that_has_it():
    planned = plan(["free_runs", "crash"], {"mechanisms": "Pipe, Queue", "runs": "7"})
    assert [each.settings["runs"] for each in planned] == [7, 7]
    assert planned[1].settings["mechanisms"] == ("Pipe", "Queue") and "mechanisms" not in planned[0].settings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x"], "name must be one of round_trips, "),
        (["start_up", "-p", "sizes=1"], "given parameter must be one of method, rows, starts, pause, not 'sizes'"),
        (["start_up", "-p", "starts=many"], "starts must be a whole number from 1 to 1,000, not 'many'"),
        (["start_up", "-p", "method=frok"], "method must be one of"),
        (["round_trips", "-p", "sizes=1,,2"], "sizes must be a whole number from 1 to 1,000,000 bytes, not ''"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_clear_line(arguments, words, capsys, tmp_path):
    assert main(["run", *arguments, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_is_no_pair_is_refused_with_an_example(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "-p", "fork"])
    assert "'fork' is not written as NAME=VALUE, such as method=fork" in capsys.readouterr().err


def test_the_list_names_each_experiment_with_its_parameters(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name, experiment in EXPERIMENTS.items():
        assert f"{name}: {experiment.about}" in said
        assert all(f"    {parameter}=" in said for parameter in experiment.parameters)


def test_a_session_that_was_killed_loses_one_experiment_and_goes_on(tmp_path):
    command = [sys.executable, "-m", "helpers.experiments", "run", "free_runs", "round_trips", "--out", str(tmp_path)]
    command += ["-p", "mechanisms=Pipe", "-p", "sizes=10", "-p", "pairs=1", "-p", "budget={}"]
    endless, short = ([word.format(seconds) for word in command] for seconds in (60, 0.01))
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as killed:
        # the second experiment is at work then
        assert "free_runs.jsonl: measured" in killed.stdout.readline()
        killed.kill()
    assert [path.name for path in tmp_path.iterdir()] == ["free_runs.jsonl"]
    said = subprocess.run(short, capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert "free_runs.jsonl: was there" in said[0] and "round_trips.json: measured" in said[1]
    assert read_result(tmp_path / "round_trips.json").settings["budget"] == 0.01


def test_sets_are_compared_from_the_command_line(measured, tmp_path, capsys):
    for name in ("before", "after"):
        list(run_session(plan(["free_runs"]), tmp_path / name))
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "before"), str(tmp_path / "after")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Against before.") and "lost an update: 0 % before / 0 % after" in said
    assert main(["compare", str(tmp_path)]) == 0
    assert main(["compare", str(tmp_path), "--margin", "0.5"]) == 2
    assert "margin must be from 1 to" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "before")]) == 2
    assert "two or more" in capsys.readouterr().err
    (tmp_path / "after" / "crash.json").write_text("{", encoding="utf-8")
    assert main(["compare", str(tmp_path)]) == 2
    assert "crash.json is damaged" in capsys.readouterr().err
