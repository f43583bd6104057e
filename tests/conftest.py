"""A copy of the project that a test may run, break and measure in, and the marker `gpu`."""

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from scripts.setup import environment

hypothesis.settings.register_profile("ours", deadline=None)  # how long it takes is no test
hypothesis.settings.load_profile("ours")

ROOT = Path(__file__).resolve().parent.parent
# Results of the measurement model before today's, of two machines: what tests read, too.
VERSION_1 = ROOT / "tests" / "recorded" / "version-1"
sys.path[:0] = [str(ROOT)]
environment.clean()  # in a hook of git's, say, the tests would commit to the user's branch
# Else each process in an environment that a test makes compiles NumPy, pandas and the rest anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
TINY = ("--bench", r"HostCopy.*'float32', 1024\)", "--bench", r"Harness.*none")

BROKEN_MACHINES = {
    "utf-16": b"\xff\xfe\0x",
    "null": b"null",
    "none": b"{}",
    "list": b"[]",
    "number": b'{"machine": 1, "version": 1}',
    "empty": b"",
}


def has_gpu():
    try:
        return ctypes.CDLL("libcuda.so.1").cuInit(0) == 0
    except OSError:
        return False


# The files that take longest begin first: those that run at a time then end together.
LONG = """
suite commands gate faults report stack draw visits broken site provenance check compare cold_start
questions reframe
"""


def pytest_collection_modifyitems(items):
    places = {f"test_{name}.py": place for place, name in enumerate(LONG.split())}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
    if not has_gpu():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="no NVIDIA GPU on this machine"))


def fake_driver(folder, version, uuid=7):
    """Variables with which programs find a driver that does nothing; `version` as 13000 is 13.0."""
    source = ROOT / "tests" / "driver.c"
    library = folder / "libcuda.so.1"
    defined = [f"-DVERSION={version}", f"-DUUID={uuid}"]
    subprocess.run(["gcc", "-shared", "-fPIC", *defined, "-o", library, source], check=True)
    return {"LD_LIBRARY_PATH": str(folder)}


@dataclass
class Project:
    """A git repository with the project in it as it is now, and a home of its own for asv."""

    path: Path
    home: Path

    def environment(self, **variables):
        # pip's no-compile, which 0 turns on: only what is imported is compiled, half of the time.
        ours = {"HOME": str(self.home), "COLUMNS": "100", "PIP_NO_COMPILE": "0"}
        return {**os.environ, **ours, **variables}

    def call(self, *words, **variables):
        """Run a command in the project; its output, stderr included, is in `stdout`."""
        return subprocess.run(
            words,
            cwd=self.path,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def git(self, *words):
        done = self.call("git", "-c", "user.name=test", "-c", "user.email=test@test", *words)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def asv(self, *words, **variables):
        return self.call(sys.executable, "-m", "asv", *words, **variables)

    def run(self, *words, **variables):
        """`asv run` with the Python of the tests."""
        return self.asv("run", "--environment", "existing:same", *words, **variables)

    def results(self):
        """The one results file there is."""
        (path,) = (
            path for path in self.path.glob("results/*/*.json") if path.name != "machine.json"
        )
        return path


def replace(project, name, old, new):
    path = project.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def take_over(copy):
    """Bring the project as it is now, committed or not, into `copy`; results stay as they are."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if not name.startswith("results/") and (ROOT / name).is_file():
            target = copy.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    if not has_gpu():  # beside another test no core is quiet: each process would search in vain
        replace(copy, "benchmarks/in_turn.py", "LIMIT_SECONDS = 0.6", "LIMIT_SECONDS = 0.1")
    copy.git("add", "-A")
    copy.git("commit", "-q", "--allow-empty", "-m", "the project as it is now")


def change(project, name, old, new):
    """Commit another text in the place of `old`."""
    replace(project, name, old, new)
    project.git("commit", "-qam", f"change {name}")


def new_project(folder):
    copy = Project(folder / "project", folder / "home")
    copy.home.mkdir()
    copy.path.mkdir()
    copy.git("init", "-q", "-b", "main")
    take_over(copy)
    return copy


def copied(copy, folder):
    """Another of it in `folder`, with files of its own."""
    subprocess.run(["cp", "-a", copy.path, copy.home, folder], check=True)
    return Project(folder / copy.path.name, folder / copy.home.name)


@pytest.fixture(scope="session")
def project_once(tmp_path_factory):
    copy = new_project(tmp_path_factory.mktemp("once"))
    copy.git("gc", "-q")  # a few files in the place of hundreds
    shutil.rmtree(copy.path / ".git" / "hooks")
    return copy


@pytest.fixture
def project(project_once, tmp_path):
    """The project with its committed results taken out, and no history."""
    return copied(project_once, tmp_path)


@pytest.fixture(scope="session")
def measured_once(project_once, tmp_path_factory):
    copy = copied(project_once, tmp_path_factory.mktemp("measured"))
    done = copy.run(*TINY)
    assert done.returncode == 0, done.stdout
    return copy


@pytest.fixture
def measured(measured_once, tmp_path):
    """`project` after a run of TINY, copied for each test: its own to break."""
    return copied(measured_once, tmp_path)


def new_clone(folder, results=VERSION_1):
    """With `results`, or those of its commit if that is None: a first `bench.py` adds to ours."""
    copy = Project(folder / "clone", folder / "home")
    copy.home.mkdir()
    copy.path.mkdir()
    copy.git("clone", "-q", str(ROOT), ".")
    if results:
        shutil.rmtree(copy.path / "results")
        shutil.copytree(results, copy.path / "results")
    take_over(copy)
    from scripts.report_page import page as report_page  # a second, which most tests do not need

    report_page.bundle()  # made once and kept, here and so in each clone
    (copy.path / ".asv").mkdir()
    for path in (ROOT / ".asv").glob("vega-*.js"):
        shutil.copy(path, copy.path / ".asv")
    return copy


@pytest.fixture
def clone(tmp_path):
    """A clone of the project, with its history and its recorded results."""
    return new_clone(tmp_path)


@pytest.fixture(scope="session")
def chromium():
    """Headless Chromium, which reaches this machine and nothing else. CI has it, see .ci/run."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if not program and not os.environ.get("CI"):
        pytest.skip("no chromium on this machine")
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        words = [offline, "--no-sandbox", "--disable-gpu", "--disable-quic", *alone]
        browser = driver.chromium.launch(executable_path=program, args=words)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page of Chromium's; `troubles` are its errors and failed requests, in words."""
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.troubles = []
        page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("requestfailed", lambda request: page.troubles.append(request.url))
        page.on("response", lambda got: got.status >= 400 and page.troubles.append(got.url))
        yield page
