"""Where POSIX is missing, as on Windows, all modules can be imported, and what needs it says so in words."""

import subprocess
import sys

# what others import is imported first, since it has Windows' own parts there; then what Windows lacks is taken away
PROGRAM = """
import importlib, os, pkgutil, signal, sys, types
from multiprocessing import connection, heap, managers, pool, resource_tracker, shared_memory, sharedctypes
import anywidget, IPython, matplotlib.figure, PIL.Image, psutil

MISSING = {
    os: "fork forkpty killpg getuid geteuid getpgrp getpgid setsid setpgid getsid register_at_fork posix_fallocate "
    "sched_getaffinity sched_setaffinity WNOHANG waitid mkfifo wait3 wait4",
    signal: "SIGKILL SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGHUP SIGSTOP SIGCONT SIGTSTP SIGQUIT SIGXCPU pthread_kill "
    "pthread_sigmask setitimer ITIMER_REAL sigwait alarm",
}
for module, names in MISSING.items():
    for name in names.split():
        vars(module).pop(name, None)
sys.modules |= dict.fromkeys(("fcntl", "resource", "termios", "pwd", "grp", "pty"))
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=1, locking=lambda *_: None)
sys.platform = "win32"

import helpers

# programs of their own, and a script for where there is something to unblock
APART = ("__main__", "hear_interrupts")
for found in pkgutil.walk_packages(helpers.__path__, "helpers."):
    if not found.name.endswith(APART):
        importlib.import_module(found.name)

from helpers.control import CannotCheck, check

try:
    check(print)
except CannotCheck as error:
    print(error)
"""


def test_without_posix_all_can_be_imported_and_a_check_says_what_it_needs():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout == "control forks each run of a program, which this system cannot; use Linux, macOS or WSL\n"
