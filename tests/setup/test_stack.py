"""The stacks: complete and compatible pins, which of them is installed, and what may go wrong."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts.setup import pycuda_wheel, stack
from tests.asv_plugin.test_suite import COPY, processes
from tests.conftest import ROOT, TINY, Project, fake_driver, has_gpu, new_project

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
NO_INDEX = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",  # nobody listens there
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
}


def text(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text()


@pytest.fixture(scope="module")
def resolving(tmp_path_factory):
    """A resolver for each stack and Python, all at once, as each waits for the network."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--no-annotate", "--no-header"]
    command += ["--python-platform", "x86_64-manylinux_2_28", "--no-python-downloads"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = {}
    for name, python in itertools.product(stack.NEEDS, PYTHONS):
        wanted = tmp_path_factory.mktemp("pins") / "pins.txt"
        pins = stack.pins(text(name), f"{python}.0")
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        words = [*command, "--python-version", python, wanted]
        started[name, python] = pins, subprocess.Popen(words, **pipes)
    return started


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", stack.NEEDS)
def test_the_pins_are_complete_and_compatible(name, python, resolving):
    """The resolver reads the packages' metadata alone; it adds nothing to what is pinned."""
    pins, resolver = resolving[name, python]
    said, failed = resolver.communicate()
    assert resolver.returncode == 0, failed
    assert stack.pins(said, f"{python}.0") == pins


@pytest.mark.parametrize(
    ("cuda", "name"),
    [(None, "host"), ((12, 0), "cu12"), ((12, 9), "cu12"), ((13, 0), "cu13"), ((14, 1), "cu13")],
)
def test_the_driver_chooses_the_stack(cuda, name):
    assert stack.choose(cuda) == name
    pinned = [line for line in text(name).splitlines() if line and line[0] not in "# "]
    assert all(re.match(r"[\w-]+==[\w.]+( ; .*)?$", line) for line in pinned)
    libraries = {"torch", "cuda-python", "pycuda", f"cupy-cuda{name[2:]}x"} if cuda else set()
    for python in PYTHONS:
        assert libraries | {"numpy"} <= set(stack.pins(text(name), f"{python}.1"))


@pytest.mark.parametrize(
    ("cuda", "name", "said"),
    [
        (None, "cu13", "cu13"),
        ((13, 0), "cu12", "cu12"),
        ((13, 0), "cu13", "cu13"),
        ((12, 4), "host", "host"),
        ((12, 4), None, "cu12"),
        ((12, 4), "cu13", "cu13 needs a driver for CUDA 13; this driver supports 12.4"),
        ((12, 4), "cu11", "There is no stack 'cu11'; there are host, cu12, cu13"),
        ((11, 8), None, "supports CUDA 11.8; the stacks need 12.0, driver 525 or newer"),
    ],
)
def test_the_stack_that_is_asked_for(monkeypatch, cuda, name, said):
    monkeypatch.setattr(stack, "cuda_version", lambda: cuda)
    monkeypatch.setenv("STACK", name or "")
    if " " in said:
        with pytest.raises(ValueError, match=re.escape(said)):
            stack.chosen()
    else:
        assert stack.chosen() == said


@pytest.mark.parametrize(
    ("pinned", "there", "differs"),
    [
        ("2.10.0+cu126", "2.10.0+cu126", False),
        ("2.10.0", "2.10.0+cu126", False),
        ("2.10.0+cu126", "2.10.0+cu128", True),
        ("2.10.0", "2.9.1", True),
        ("2.10.0", None, False),
    ],
)
def test_what_is_installed_differs_from_the_pins(
    project, monkeypatch, capsys, pinned, there, differs
):
    monkeypatch.setattr(stack, "cuda_version", lambda: (12, 8))
    monkeypatch.chdir(project.path)
    hashed = f"# comment\nTorch[all]=={pinned} \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n"
    (project.path / "requirements" / "cu12.txt").write_text(f"{hashed}    # via x\nnumpy==1.0\n")
    project.git("commit", "-qam", "pins")
    said = list(stack.differences({"torch": there, "numpy": "1.0"}, "3.12.1", "HEAD"))
    told = f"torch {there} is installed; this commit's cu12.txt pins {pinned}"
    assert said == [told] * differs


def test_pins_that_cannot_be_read_are_not_no_difference(project, monkeypatch):
    monkeypatch.setattr(stack, "cuda_version", lambda: (12, 8))
    monkeypatch.chdir(project.path)
    (project.path / "requirements" / "cu12.txt").write_text("numpy==\n")
    project.git("commit", "-qam", "broken")
    (said,) = stack.differences({"numpy": "1.0"}, "3.12.1", "HEAD")
    assert said == "This commit's cu12.txt is broken: 'numpy==' is no pin"
    (project.path / ".git").rename(project.home / "history")
    (said,) = stack.differences({"numpy": "1.0"}, "3.12.1", "HEAD")
    assert said.startswith("This commit's cu12.txt cannot be read: fatal: not a git repository")


class Pip(list):
    """What pip is called with, and the requirements that it is given."""

    def __call__(self, *words):
        self.append(" ".join(map(str, words)))
        if "-r" in words:
            self.append(Path(words[-1]).read_text())
        return 0


@pytest.mark.parametrize(
    ("machine", "cuda", "torch", "why"),
    [
        ("x86_64", (12, 8), True, None),
        ("aarch64", (13, 0), True, None),
        ("aarch64", None, True, None),
        ("aarch64", (12, 8), False, "for aarch64 it is not to be had with CUDA 12; with CUDA 13"),
    ],
)
def test_what_a_kind_of_machine_cannot_have_is_said(
    tmp_path, monkeypatch, machine, cuda, torch, why
):
    """An aarch64's torch for CUDA 12 is one without CUDA: better none, and the other three."""
    monkeypatch.setattr(stack, "cuda_version", lambda: cuda)
    monkeypatch.setattr(stack.platform, "machine", lambda: machine)
    monkeypatch.setattr(stack.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(stack, "pip", Pip())
    for name in stack.NEEDS:
        pinned = "numpy==1.0\ntorch==2.10.0 \\\n  --hash=sha256:0\ncupy==1.0\n"
        (tmp_path / f"{name}.txt").write_text(pinned)
    (tmp_path / "stack.txt").write_text("torch==2.9\nold==1")  # the one before, of another CUDA
    with pytest.raises(SystemExit) as ended:
        stack.main(tmp_path)
    assert ended.value.code == 0
    assert stack.pip[0] == "uninstall -q -y old" + " torch" * (not torch)
    lines = stack.pip[-1].splitlines()
    assert [line.partition("==")[0] for line in lines] == ["numpy", *["torch"] * torch, "cupy"]
    missing = json.loads((tmp_path / stack.MISSING).read_text())
    assert missing.keys() == (set() if torch else {"torch"})
    assert torch or missing["torch"].startswith(why)


@pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
def test_a_driver_too_old_is_told_what_it_needs(project, tmp_path):
    done = project.asv("run", *TINY, **fake_driver(tmp_path, 11080))
    assert done.returncode == 1
    last = "This driver supports CUDA 11.8; the stacks need 12.0, driver 525 or newer"
    assert done.stdout.splitlines()[-1].endswith(last)
    assert not list(project.path.glob(".asv/env/*"))
    assert project.run(*TINY, LD_LIBRARY_PATH=str(tmp_path)).returncode == 0  # nothing to install


def test_a_stack_that_there_is_not(project):
    done = project.call(sys.executable, "scripts/bench.py", "--stack", "cu11")
    assert done.returncode == 2
    assert "invalid choice: 'cu11'" in done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="another stack would be installed here")
def test_requirements_of_a_commit_that_are_broken(project):
    good = project.git("rev-parse", "HEAD")
    for requirements in "numpy=!2", "no-such-package-of-numpy-to-gpu==1":
        (project.path / "requirements" / "host.txt").write_text(f"{requirements}\n")
        project.git("commit", "-qam", "broken")
        done = project.asv("run", *TINY)
        assert done.returncode == 1
        last = done.stdout.splitlines()[-1]
        assert re.search(rf"The stack could not be installed: .*{requirements}", last)
    # A limit on the size of files stands for a full disk: NumPy's largest does not fit.
    full = ["prlimit", f"--fsize={8 << 20}", sys.executable, "-m", "asv", "run", f"{good}^!", *TINY]
    done = project.call(*full)
    assert done.returncode == 1
    assert "The stack could not be installed: " in done.stdout.splitlines()[-1]
    assert "git" not in done.stdout.splitlines()[-1]
    done = project.asv("run", f"{good}^!", *TINY)
    assert done.returncode == 0, done.stdout  # the next run is not poisoned


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="another stack would be installed here")
def test_no_network_and_what_was_installed_before(project):
    done = project.asv("run", *TINY, **NO_INDEX)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].endswith("is the package index within reach?")
    assert project.asv("run", *TINY).returncode == 0
    project.git("commit", "-q", "--allow-empty", "-m", "another commit, with the same pins")
    done = project.asv("run", *TINY, **NO_INDEX)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def ranged(tmp_path_factory):
    """A range of two commits, measured with the stack of each in asv's own environment."""
    project = new_project(tmp_path_factory.mktemp("ranged"))
    host = project.path / "requirements" / "host.txt"
    for version in "2.3.4", "2.3.5":
        host.write_text(f"numpy=={version}\n")
        project.git("commit", "-qam", f"NumPy {version}")
    other = project.home / "python{}.{}".format(*sys.version_info)  # not the one that runs asv
    other.write_text("#!/bin/sh\nexit 127\n")
    other.chmod(0o755)
    path = f"{project.home}:{os.environ['PATH']}"
    done = project.asv("run", "HEAD~2..HEAD", *TINY, PATH=path, STACK="host" if has_gpu() else "")
    assert done.returncode == 0, done.stdout
    return project


def test_each_commit_of_a_range_has_its_own_stack(ranged):
    project, found = ranged, {}
    for path in project.path.glob("results/*/*.provenance.jsonl"):
        result = path.with_name(path.name.replace(".provenance.jsonl", ".json"))
        assert processes(result, COPY, "float32", 1024) == [25, 25]
        found[path.name[:8]] = re.search(r'"numpy": "([\d.]+)"', path.read_text())[1]
    commits = project.git("rev-parse", "HEAD~1", "HEAD").split()
    assert found == {commits[0][:8]: "2.3.4", commits[1][:8]: "2.3.5"}
    machine = path.parent.name
    done = project.call(
        sys.executable, "scripts/provenance.py", *(f"{machine}:{commit}" for commit in commits)
    )
    assert [line.split() for line in done.stdout.splitlines() if "numpy" in line] == [
        ["numpy", "2.3.4", "2.3.5"]
    ]


def test_an_existing_environment_lines_up_with_asvs_own(ranged, tmp_path):
    leave = shutil.ignore_patterns(".asv")
    project = Project(shutil.copytree(ranged.path, tmp_path / "project", ignore=leave), ranged.home)
    project.git("commit", "-q", "--allow-empty", "-m", "another commit")
    assert project.run(*TINY).returncode == 0
    files = {p.name.split("-", 1)[1] for p in project.path.glob("results/*/*-py*.json")}
    python = "{}.{}".format(*sys.version_info)
    assert files == {f"existing-py{python}.json", f"virtualenv-py{python}.json"}
    assert project.asv("publish").returncode == 0
    index = json.loads((project.path / ".asv/html/index.json").read_text())
    assert len(index["graph_param_list"]) == 1
    graphs = (project.path / ".asv/html/graphs").rglob(f"{COPY}.json")
    (graph,) = (graph for graph in graphs if "summary" not in graph.parts)
    assert len(json.loads(graph.read_text())) == 3  # all commits on one curve


def test_a_commit_without_requirements_is_told_so(tmp_path):
    with pytest.raises(SystemExit, match=r"This commit has no \w+\.txt in its requirements/"):
        stack.main(tmp_path)


def a_wheel(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pycuda/__init__.py"), "x = 1\n" * 1000)  # of no date
    return path


@pytest.mark.parametrize("broken", [b"", b"half"])
def test_a_half_built_wheel_is_built_again(tmp_path, monkeypatch, broken):
    monkeypatch.setattr(pycuda_wheel, "WHEELS", tmp_path)
    name = "pycuda-1-cp312-linux.whl"
    monkeypatch.setattr(pycuda_wheel, "build", lambda what, folder, log: a_wheel(folder / name))
    found = pycuda_wheel.wheel("pycuda==1", "cu13")
    whole = found.read_bytes()
    found.write_bytes(whole[:100] if broken == b"half" else broken)
    killed = found.parent / "tmpkilled"
    killed.mkdir()
    os.utime(killed, (0, 0))
    assert pycuda_wheel.wheel("pycuda==1", "cu13") == found
    assert found.read_bytes() == whole
    assert {path.name for path in found.parent.iterdir()} == {name}


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
def test_a_host_without_a_compiler_does_without_pycuda_and_says_why(project, tmp_path):
    host = project.path / "requirements" / "host.txt"
    host.write_text(host.read_text() + "pycuda==2026.1\n")
    project.git("commit", "-qam", "with PyCUDA")
    (tmp_path / "bin").mkdir()
    for program in Path("/usr/bin").iterdir():
        if not re.match("(.*-)?(g|c)\\+\\+", program.name):
            (tmp_path / "bin" / program.name).symlink_to(program)
    variables = {"PATH": str(tmp_path / "bin"), "STACK": "host", **fake_driver(tmp_path, 13000)}
    pycuda = r"existing_array\('pycuda', 'pageable', 'float32', 1024\)"
    done = project.asv("run", *TINY, "--bench", pycuda, **variables)
    assert done.returncode == 0, done.stdout
    why = "(no module pycuda): there is no C++ compiler (g++) to build it with"
    assert f"1 point is n/a: pycuda is not installed {why}" in done.stdout
