"""A limit of processor time for each process of a learner's program, so that an endless loop ends and says where.

Processor time counts no waiting and no load: an honest program that is slow to get its turn is never ended.
"""

import faulthandler
import signal

__tracebackhide__ = True  # an instrument: never the place where somebody waits

SECONDS = 1  # of processor time, which these programs need a hundredth of; the system counts whole ones


def limit_this_process() -> None:
    """End this process when it has used so much more, after a word to standard error; nothing where there is no way."""
    if not hasattr(signal, "SIGXCPU"):
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (round(used.ru_utime + used.ru_stime) + SECONDS, hard))
    faulthandler.register(signal.SIGXCPU, file=2, all_threads=False, chain=True)


def limit() -> None:
    """Limit this process, unless it is the judge; what is judged calls it in every process that imports it."""
    if not _is_judge:
        limit_this_process()


def be_the_judge() -> None:
    """Let this process go on after the learner's program has run in it."""
    global _is_judge
    _is_judge = True


_is_judge = False
