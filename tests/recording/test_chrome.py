"""The Chrome trace: every process, call and message of a recording is in it."""

import json
from multiprocessing import get_context

from helpers.recording.recorder import record
from tests import recorded as worker

spawn = get_context("spawn")


def test_the_trace_exports_to_chrome_json(tmp_path):
    with record() as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.answer, args=(theirs,)).start()
        ours.send(1)
        ours.recv()
    run.to_chrome(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    by_phase = {phase: [event for event in events if event["ph"] == phase] for phase in "MXsf"}
    assert [event["args"]["name"] for event in by_phase["M"]] == ["MainProcess", run.processes[1].name]
    assert len(by_phase["X"]) == len(run.events) and all(event["dur"] >= 0 for event in by_phase["X"])
    assert [event["id"] for event in by_phase["s"]] == [event["id"] for event in by_phase["f"]] == [0, 1]
    assert all({"pid", "tid", "ts"} <= event.keys() for event in by_phase["X"])
