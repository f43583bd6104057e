"""Progress that moves: a line that a terminal writes over, or else a new one from time to time.

Before anything is installed, too: it uses the standard library only.
"""

import contextlib
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

EVERY = 10.0  # seconds, where it is not a terminal that is written to
COLLECTING = re.compile(r"^(?:\S+ +)?Collecting ([\w.-]+)", re.MULTILINE)  # in pip's log


class Line:
    """What is shown of one long step; `first` ends a line that somebody else has begun."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self.first = first
        self.began = self.shown = time.monotonic()
        self.width = 0

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def show(self, text: str) -> None:
        """Say it, unless it was said just now."""
        now, over = time.monotonic(), sys.stdout.isatty()
        if now - self.shown < (0.2 if over else EVERY):
            return
        self.shown = now
        if not self.width:
            self.first()
        line = f"  {text}; {self.elapsed():.0f} s"
        print(f"\r{line:{self.width}}" if over else line, end="" if over else "\n", flush=True)
        self.width = len(line) if over else 0

    def end(self) -> None:
        if self.width:
            print("\r" + " " * self.width + "\r", end="", flush=True)
            self.width = 0


@contextlib.contextmanager
def of_pip(environment: Path, first: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Show what a pip does meanwhile that installs into `environment`, and writes its `log`."""
    over = threading.Event()
    log(environment).unlink(missing_ok=True)
    before = len(packages(environment))

    def watch() -> None:
        line = Line(first)
        while not over.wait(0.5):
            with contextlib.suppress(OSError):
                found = set(COLLECTING.findall(log(environment).read_text(errors="replace")))
                done = max(len(packages(environment)) - before, 0)
                if done:
                    line.show(f"{min(done, len(found))} of {len(found)} packages installed")
                elif found:
                    line.show(f"fetching; {len(found)} packages so far")
        line.end()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def log(environment: Path) -> Path:
    """Where a pip that installs into `environment` shall write its log."""
    return environment / "pip.log"


def packages(environment: Path) -> list[Path]:
    return list(environment.glob("lib/python*/site-packages/*.dist-info"))
