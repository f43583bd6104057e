"""asv's own pages as we publish and serve them, in a real browser that has no network."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import asv
import pytest

from scripts.asv_plugin import offline
from tests import many_results
from tests.conftest import new_clone

COMMITS, STEP = 12, 6  # the last six with a slower PyTorch
BENCHMARK = "host_to_device.HostToDevice.time_existing_array"
MARKUP = "<img src=x onerror=alert(1)>"  # a GPU's name; taken for HTML it would ask for x
LEFT_ALONE = "asv's pages will load their scripts from the internet: "


@pytest.fixture(scope="module")
def npm():
    """Skips where npm cannot fetch."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    command = ["npm", "view", "jquery@3.3.1", "version", "--fetch-retries=0"]
    if subprocess.run(command, capture_output=True, timeout=60).returncode:
        pytest.skip("npm reaches no registry")


@contextlib.contextmanager
def preview(project, *words):
    """`asv preview`, running; its address."""
    command = [sys.executable, "-u", "-m", "asv", "preview", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = project.environment()
    with subprocess.Popen(command, cwd=project.path, env=environment, **pipes) as server:
        try:
            first = server.stdout.readline()
            yield re.search(r"http://\S+", first)[0]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def published(tmp_path_factory, npm):
    """A clone with a history that has one step, published."""
    project = new_clone(tmp_path_factory.mktemp("published"), None)
    many_results.fill(project.path, COMMITS, 1, STEP)
    for path in (project.path / "results" / "made-up-0").glob("*.json"):
        path.write_text(path.read_text().replace("Made-up GPU 0", MARKUP))
    done = project.asv("publish")
    assert done.returncode == 0, done.stdout
    assert LEFT_ALONE not in done.stdout
    return project


@pytest.fixture(scope="module")
def unaided(tmp_path_factory):
    """The recorded results published with no npm and no GPU: the project, and what was said."""
    folder = tmp_path_factory.mktemp("unaided")
    project = new_clone(folder)
    done = project.asv("publish", PATH=path_with_npm(folder), CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 0, done.stdout
    return project, done.stdout


@pytest.fixture(scope="module")
def address(published):
    with preview(published) as address:
        yield address


def index(project):
    return json.loads((project.path / ".asv/html/index.json").read_text())


def drawn(page, canvas):
    """How many pixels of the canvas are not empty."""
    code = """canvas => {
        const {width, height} = canvas;
        const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        return pixels.filter((value, at) => at % 4 == 3 && value > 0).length;
    }"""
    return page.locator(canvas).first.evaluate(code)


def test_all_views_work_with_no_network(published, address, page):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(address)
    grid = page.locator("#summarygrid-display .benchmark-container")
    grid.first.wait_for()
    assert grid.count() == len(index(published)["benchmarks"])

    page.goto(f"{address}#/summarylist")
    page.locator("#summarylist-body table tbody tr").first.wait_for()
    assert page.locator("#summarylist-body").get_by_text("time_existing_array").count() >= 280
    page.locator("#summarylist-body thead th").nth(1).click()  # sorted by stupid-table
    page.wait_for_url(re.compile("sort=1"))  # it is late, and would change the next view's address

    page.goto(f"{address}#/regressions")
    rows = page.locator("#regressions-body tbody tr")
    rows.filter(has_text="torch").first.wait_for()
    page.wait_for_url(re.compile("regressions.*sort=3"))

    page.goto(f"{address}#{BENCHMARK}")
    page.locator("#main-graph canvas.flot-base").wait_for()
    page.wait_for_function("document.querySelector('#title').innerText.includes('existing_array')")
    page.wait_for_timeout(500)
    assert drawn(page, "#main-graph canvas.flot-base") > 1000
    assert page.locator("#graphdisplay-navigation").get_by_text(MARKUP).count() == 1
    assert page.troubles == []
    assert hosts == {address.split("/")[2]}


def test_the_report_and_asvs_pages_lead_to_each_other(address, page):
    page.goto(address, wait_until="networkidle")  # a click would break off what is under way
    page.locator("#nav").get_by_role("link", name="Report").click()
    page.wait_for_url("**/report.html")
    page.locator("a[href='index.html']").first.click()
    page.locator("#summarygrid-display .benchmark-container").first.wait_for()
    assert page.troubles == []


def test_publishing_needs_no_gpu_and_none_of_the_libraries(unaided):
    project, said = unaided
    assert "Couldn't find" not in said  # a commit that is not in the history
    assert "Error parsing" not in said  # what is beside the results, taken for one
    machines, params = (index(project)[name] for name in ("machines", "params"))
    assert machines["nvidia-h200"]["gpu"] == "NVIDIA H200"
    assert "3.12" in params["python"]


def test_where_the_report_has_no_step_asv_has_no_regression(unaided):
    project, _ = unaided
    judged = "ed7e6411", "4be76dc1", "e62adfd3", "b0cf0fc0"  # what is recorded later may have one
    hashes = index(project)["revision_to_hash"]
    found = json.loads((project.path / ".asv/html/regressions.json").read_text())["regressions"]
    jumps = [jump for *_, of_one in found for jump in of_one]
    assert [jump for jump in jumps if hashes[str(jump[1])].startswith(judged)] == []


def test_publishing_makes_the_report_too(unaided):
    project, _ = unaided
    report = (project.path / ".asv" / "html" / "report.html").read_text()
    assert "vegaEmbed(" in report
    assert 'href="index.html"' in report
    assert str(project.path) not in report


def test_without_the_packages_the_browser_has_no_page(unaided, page):
    """What the tests above would see if the pages loaded anything from a network."""
    project, said = unaided
    assert "npm is not installed" in said
    with preview(project, "--port", str(free_port())) as address:
        page.goto(address)
        page.wait_for_url("**/error.html")
    assert any("jquery" in url for url in page.troubles)


def path_with_npm(folder, script=None):
    """A PATH on which npm is `script`, or is not."""
    programs = folder / "programs"
    programs.mkdir()
    for name in "git", "sh", "sleep", "mkdir", "touch":
        (programs / name).symlink_to(shutil.which(name))
    if script:
        (programs / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (programs / "npm").chmod(0o755)
    return str(programs)


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Publishes asv's index.html with `script` for npm; returns it, and what was warned of."""
    html = tmp_path / "html"
    html.mkdir()
    monkeypatch.setattr(offline, "CACHE", tmp_path / "cache")

    def publish(script=None):
        monkeypatch.setenv("PATH", path_with_npm(tmp_path, script))
        said = []
        monkeypatch.setattr(offline.log, "warning", said.append)
        for _ in range(2):
            shutil.copy(Path(asv.__file__).parent / "www" / "index.html", html)
            offline.Pages.publish(SimpleNamespace(html_dir=html), None, {}, None, None)
        return (html / "index.html").read_text(), said

    return publish


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_licences_and_versions_go_along(published):
    html = published.path / ".asv/html"
    text = (html / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link)\s[^>]*?(?:src|href)="([^"]*)"', text)
    assert len(loaded) > 10
    assert all((html / name).is_file() for name in loaded if name != "regressions.xml")
    pins = json.loads((published.path / "requirements/site/package.json").read_text())
    assert {path.name for path in (html / "npm").iterdir()} == set(pins["dependencies"])
    for name, version in pins["dependencies"].items():
        about = json.loads((html / "npm" / name / "package.json").read_text())
        assert about["version"] == version
        assert list((html / "npm" / name).glob("LICENSE*")) or about["license"] == "MIT"
    assert not published.git("status", "--porcelain", "--", ".asv", "requirements")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "npm is not installed"),
        ("echo 'npm error code ENOTFOUND' >&2; exit 1", "npm error code ENOTFOUND"),
        ("exit 1", "npm failed"),
        ("mkdir -p node_modules", r"No such file or directory: .*/jquery/dist/jquery\.min\.js"),
        ("exec sleep 60", r"npm got no answer in 0\.3 s"),
    ],
)
def test_publishing_goes_on_without_the_packages(publish, monkeypatch, script, reason):
    if script and "sleep" in script:
        monkeypatch.setattr(offline, "SECONDS", 0.3)
    page, said = publish(script)
    original = (Path(asv.__file__).parent / "www" / "index.html").read_text()
    assert page == original
    for line in said:
        assert re.fullmatch(rf"{LEFT_ALONE}.*{reason}.*: asv publish", line)
    assert len(said) == 2


def test_npm_is_called_once(publish, tmp_path):
    files = " ".join(f"node_modules/{file}" for file in offline.FILES.values())
    packages = {file.split("/")[0] for file in offline.FILES.values()}
    about = " ".join(f"node_modules/{package}/package.json" for package in packages)
    folders = " ".join({str(Path(file).parent) for file in files.split()})
    calls = tmp_path / "calls"
    page, said = publish(f"echo $* >> {calls}; mkdir -p {folders}; touch {files} {about}")
    assert not said
    assert not re.search(r'<(script|link)[^>]*"https?:', page)
    (call,) = calls.read_text().splitlines()
    assert call.startswith("ci --ignore-scripts")


def test_a_script_that_no_package_has_leaves_the_pages_alone(tmp_path):
    page = '<script src="https://example.org/new.js"></script>'
    with pytest.raises(offline.Unavailable, match=r"no package in requirements/site has new\.js"):
        offline.bring_along(page, tmp_path, tmp_path / "npm")


def test_the_link_to_the_report_is_there_only_with_the_report(tmp_path, monkeypatch):
    navigation = '<li id="nav-li-" class="active"><a href="#/">Benchmark grid</a></li>'
    monkeypatch.setattr(offline, "packages", lambda: tmp_path)
    conf = SimpleNamespace(html_dir=tmp_path)
    for report in False, True:
        (tmp_path / "index.html").write_text(navigation)
        if report:
            (tmp_path / "report.html").write_text("")
        offline.Pages.publish(conf, None, {}, None, None)
        page = (tmp_path / "index.html").read_text()
        assert ('<a href="report.html">Report</a>' in page) == report


def test_preview_listens_on_this_machine_only(project):
    (project.path / "index.html").write_text("")
    port = free_port()
    with preview(project, "--port", str(port), "--html-dir", ".") as address:
        assert address == f"http://127.0.0.1:{port}/"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        # One that listens on every address takes this one too.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ((), r"There is no site in .*\.asv/html yet: asv publish makes it"),
        (("--port", "99999", "--html-dir", "."), r"port must be 0-65535"),
    ],
)
def test_a_preview_that_cannot_be(project, words, last):
    (project.path / "index.html").write_text("")
    done = project.asv("preview", *words)
    assert done.returncode == 1
    assert re.search(last, done.stdout.splitlines()[-1])
    assert "Traceback" not in done.stdout
