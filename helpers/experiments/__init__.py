"""Experiments of the lessons, each declared once: run in a notebook, from the command line or on a cluster alike.

Their results are files that others read. No child process imports this package: it needs pyperf.
"""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "catalogue": "find",
        "cluster": "ClusterFailed run_on_cluster",
        "files": "UnusableFile read_result read_results read_sets write_result",
        "session": "plan run_session",
    },
)
