"""Let nbval start kernels as Jupyter does and shut them down gently, and let tests hear Ctrl-C."""

import os
import signal
from collections.abc import Iterator

import nbval.plugin
import pytest
from nbval.kernel import RunningKernel


class GentleKernel(RunningKernel):
    """A kernel that does not know that it is tested, and that is asked to end rather than killed.

    ipykernel leaves children's output alone while PYTEST_CURRENT_TEST is set; a killed kernel takes multiprocessing's
    resource tracker with it, and semaphores stay behind.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        current_test = os.environ.pop("PYTEST_CURRENT_TEST", None)
        try:
            super().__init__(*args, **kwargs)
        finally:
            if current_test is not None:
                os.environ["PYTEST_CURRENT_TEST"] = current_test

    def stop(self) -> None:
        """Ask the kernel to end; kill it only if it has not within a second."""
        self.kc.stop_channels()
        self.km.shutdown_wait_time = 1.0
        self.km.shutdown_kernel(now=False)
        del self.km


nbval.plugin.RunningKernel = GentleKernel


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, as in a cell: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
