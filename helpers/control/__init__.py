"""Control: any program of multiprocessing, unmodified, under a scheduler that tries its schedules one by one."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "checking": "CannotCheck Failure Result check rerun",
    },
)
