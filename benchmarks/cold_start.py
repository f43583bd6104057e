"""What a method costs before it is warm: the first transfer of an interpreter, and installing it.

A sample is one fresh interpreter, so samples are replicates here. They are taken by setup_cache,
one after the other for all methods, and the benchmarks only hand them to asv: each interpreter
gives all three steps. On `version`, see host_to_device.py.
"""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy

from . import checks, methods, reasons
from .clock import number, timer, warmup_time  # noqa: F401

SAMPLES = 5
STEPS = "import", "context", "copy"
NBYTES = 1024

repeat = SAMPLES
rounds = 1
timeout = 120

# Only what is timed may import: NumPy is there before, since the array is, and the harness's own
# imports (device) come between the library's and the context.
FRESH = """
import json, sys
from time import perf_counter
import numpy
from benchmarks import methods
library = methods.module(sys.argv[1])
start = perf_counter()
try:
    library.load()
except (ModuleNotFoundError, methods.Unusable):
    pass  # cold_start says it below
loaded = perf_counter() - start
from benchmarks import cold_start
print(json.dumps(cold_start.said(sys.argv[1], loaded)))
"""


def said(method, loaded):
    """What `first_transfer` returns, or {"skipped": reason} if it is n/a."""
    try:
        return first_transfer(method, loaded)
    except Exception as error:
        if reason := reasons.why_not(error):
            return {"skipped": reason}
        raise


def first_transfer(method, loaded):
    """Seconds of each of STEPS in this interpreter, which took `loaded` to import the library.

    `context`: CUDA's start and the device's primary context, the same for every method. `copy`:
    the first new array from 1 KiB of pageable memory and the wait for it, with all that the
    library starts then. The bytes are compared afterwards.
    """
    from . import device

    library = methods.loaded(method)
    start = perf_counter()
    cuda = device.driver()
    context = perf_counter() - start
    host = numpy.empty(NBYTES, "uint8")
    checks.fill(host)
    start = perf_counter()
    made = library.new_array(host)()
    device.check(cuda, cuda.cuCtxSynchronize())
    copy = perf_counter() - start
    checks.verify(host, device.parts(library.address(made), NBYTES))
    return dict(zip(STEPS, (loaded, context, copy), strict=True))


def fresh_interpreter(method):
    """What one fresh interpreter says: seconds by step, or why it is skipped, or how it failed."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", FRESH, method],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    return {"failed": done.stderr.strip() or f"exit code {done.returncode}"}


def setup_cache():
    """{method: [what a fresh interpreter said, ...]}, without each method's first.

    That one may have to read files from the disk.
    """
    taken = {}
    for method in methods.REGISTRY:
        first = fresh_interpreter(method)
        measured = set(first) == set(STEPS)
        taken[method] = [fresh_interpreter(method) for _ in range(SAMPLES)] if measured else [first]
    return taken


setup_cache.timeout = 600  # type: ignore[attr-defined]  # asv reads it there


class ColdStart:
    """From a fresh interpreter that has NumPy to the first verified 1 KiB on the device. Seconds.

    `time_import`, `time_context` and `time_copy` are its steps (see `first_transfer`),
    `time_total` their sum. The files are in the system's cache. `track_installed_bytes` is what
    the method's package and all that it requires take on the disk, NumPy included.
    """

    version = "1"
    params = [list(methods.REGISTRY)]
    param_names = ["method"]

    def time_import(self, taken, method):
        timer.tick(seconds(taken, method, "import"))

    def time_context(self, taken, method):
        timer.tick(seconds(taken, method, "context"))

    def time_copy(self, taken, method):
        timer.tick(seconds(taken, method, "copy"))

    def time_total(self, taken, method):
        timer.tick(seconds(taken, method, *STEPS))

    def track_installed_bytes(self, taken, method):
        return installed_bytes(method, methods.module(method).DISTRIBUTIONS)

    track_installed_bytes.unit = "bytes"  # type: ignore[attr-defined]
    track_installed_bytes.version = "2"  # type: ignore[attr-defined]  # 1 did not follow extras


def seconds(taken, method, *steps):
    """Iterates over the next interpreter's seconds for `steps`; n/a or an error if it has none."""
    if not taken[method]:
        raise ValueError(f"{SAMPLES} fresh interpreters were measured; asv asks for more samples")
    told = taken[method].pop(0)
    if "failed" in told:
        raise RuntimeError(told["failed"])
    if "skipped" in told:
        skip(told["skipped"])
    yield sum(told[step] for step in steps)


def skip(reason):
    reasons.note(skipped=reason)
    reasons.skip(reason)


def installed_bytes(method, distributions):
    """Bytes on the disk of those of `distributions` that are there, and of all they require."""
    from packaging.requirements import Requirement  # asv requires it, so it is there

    there = {name for name in distributions if installed(name)}
    if not there:
        skip(f"{method} is not installed (no package of that name)")
    waiting, seen, counted = {(name, "") for name in ("numpy", *there)}, set(), {}
    while waiting:
        name, extra = one = waiting.pop()
        seen.add(one)
        found = installed(name)
        if not found:
            continue  # another platform's
        if found.files is None:
            skip(f"{name} has no list of its files")
        counted[found.name] = sum(map(size, found.files))
        for requirement in map(Requirement, found.requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                extras = {"", *requirement.extras}
                waiting |= {(requirement.name, wanted) for wanted in extras} - seen
    return sum(counted.values())


def installed(name):
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def size(file):
    try:
        return file.locate().stat().st_size
    except OSError:
        return 0
