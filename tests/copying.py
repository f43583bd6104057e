"""Methods that copy on the host, in the place of a project's own, and a driver for them."""

DEVICE = """

class Host:
    def cuCtxSynchronize(self):
        return 0

    def cuMemcpyDtoH_v2(self, target, source, count):
        ctypes.memmove(target, source.value, count.value)
        return 0


def driver():
    return Host()


def start():
    pass


def wait():
    return lambda: None


def require_memory(kind, host, method):
    pass


def broken():
    return False
"""
METHOD = """
import numpy

DISTRIBUTIONS = ()
pinned = numpy.empty


def load():
    return numpy


def copy(target, source):
    numpy.copyto(target, source)


def new_array(host):
    return lambda: host.copy()


def existing_array(host):
    made = numpy.empty_like(host)
    return made, lambda: copy(made, host)


def address(made):
    return made.ctypes.data


def empty_pinned_pool():
    pass
"""
MODULES = "cuda_python", "pytorch", "cupy", "pycuda"


def methods(project, **more):
    """Commit them in the project; `more` is added to the text of a module."""
    folder = project.path / "benchmarks"
    with open(folder / "device.py", "a") as file:
        file.write(DEVICE)
    for name in MODULES:
        with open(folder / "methods" / f"{name}.py", "a") as file:
            file.write(METHOD + more.get(name, ""))
    project.git("commit", "-qam", "methods that copy on the host")
