"""asv's forkserver, from which the processes of points are forked."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import asv.runner
from asv import util

SERVED = 100  # visits, at most, with one server; none of them twice
INTERRUPTS = signal.SIGINT, signal.SIGTERM


@contextlib.contextmanager
def interrupted_later(close: Callable[[], None]) -> Iterator[None]:
    """An interrupt in the block is raised after it, when `close` has been called."""
    noted: list[int] = []
    before = {one: signal.signal(one, lambda number, _: noted.append(number)) for one in INTERRUPTS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        if noted:
            close()
            raise KeyboardInterrupt


class Server(asv.runner.ForkServer):
    """asv's own, renewed now and then, so that not all processes of a point have their memory's
    layout in common, a third of the noise between them; an interrupt while it starts leaves no
    thread that waits for it for ever."""

    def __init__(self, *args: Any) -> None:
        self.served: set[Any] = set()  # the visits that it has made
        self.there = False
        with interrupted_later(self.close):
            try:
                super().__init__(*args)
                self.there = True
            except RuntimeError:  # it had the interrupt, too, or could not start
                told = (self._server_output or "").strip().splitlines()
                why = f": {told[-1]}" if told else ""
                raise util.UserError(f"asv's server could not be started{why}") from None

    def close(self) -> None:
        if self.there:
            self.there = False
            with contextlib.suppress(FileNotFoundError):  # interrupted while it was renewed
                super().close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().run(*args, **kwargs)
        except (OSError, ValueError, RuntimeError, util.UserError):
            # Its socket is gone, or the answer is half; it may be ending just now.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server_proc.wait(timeout=1)
            code = self.server_proc.returncode
            raise util.UserError(f"asv's server was ended by something else ({code})") from None

    def renew(self) -> None:
        """Another server in the place of this one."""
        try:
            self.close()
            self.__init__(self.env, self.benchmark_dir)  # type: ignore[misc]
            self.preimport()
        except KeyboardInterrupt:
            self.interrupt()
            raise util.UserError("Interrupted.") from None  # as asv says it

    def fit_for(self, visit: Any) -> None:
        """Renew it if it has measured the points of `visit`, or enough."""
        if visit in self.served or len(self.served) == SERVED:
            self.renew()
        self.served.add(visit)
