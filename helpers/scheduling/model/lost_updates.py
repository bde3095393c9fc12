"""Lost updates among the steps of a model, by the rule of `helpers.recording.updates`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers import validate
from helpers.recording.updates import DataAccess, lost_writes
from helpers.scheduling.program.semantics import READS, WRITES

if TYPE_CHECKING:
    from helpers.scheduling.model.model import Step


def lost_updates(steps: "Sequence[Step]") -> list[int]:
    """Return the indices of the steps that overwrote what another process had written since the writer last read it.

    Raises TypeError for anything but a list of steps.
    """
    for number, step in enumerate(validate.sequence("steps", steps, "steps, such as those of a replay", least=0)):
        if not hasattr(step, "done"):
            validate.refuse(TypeError, f"steps[{number}]", "a step, such as those of a replay", step)
    found = [
        (index, DataAccess(step.process, access.variable, access.verb in READS, access.verb in WRITES))
        for index, step in enumerate(steps)
        for access, _ in step.done
        if access.verb in READS | WRITES
    ]
    return [found[lost][0] for lost in lost_writes(access for _, access in found)]
