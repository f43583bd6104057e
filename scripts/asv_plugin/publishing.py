"""The site: our report beside asv's pages, one detector for both, a preview for this machine."""

import ast
import contextlib
import copy
import errno
import functools
import http.server
import itertools
import json
import os
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asv.commands.preview
import asv.commands.publish
from asv import util
from asv.console import log
from asv.machine import Machine
from asv.plugins.regressions import Regressions
from asv.publishing import OutputPublisher

from scripts.asv_plugin.replaced import replace
from scripts.setup import children, dotvenv
from scripts.setup.environment import ROOT
from scripts.words.vocabulary import ALL, operation, series

# In report.html.jinja there is a place for what leads to asv's pages, where they lie beside it.
LEADING_HERE = "<!-- asv's own pages -->", '<a href="index.html">asv\'s own pages</a>'
MADE = ROOT / ".asv" / f"report-{os.getpid()}.html"  # asv empties its own folder


class Report(OutputPublisher):
    """The report; made by a process of its own, beside asv's own work."""

    name = "report"
    button_label = "Report"
    description = "The results as charts and tables, also with no network"
    order = 3.5  # behind asv's regressions, of which it keeps some; offline.Pages leads to it
    process = None

    @classmethod
    def start(cls, results: str) -> None:
        if lacking := dotvenv.missing(*dotvenv.REPORT):
            install = "pip install -r requirements/dev.txt"
            log.warning(f"No report: this Python has no {', '.join(lacking)}: {install}")
            return
        script = ROOT / "scripts" / "report.py"
        command = [sys.executable, str(script), "--output", str(MADE), "--results", results]
        pipes: dict[str, Any] = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.PIPE,
            "text": True,
        }
        ending = children.ending_with_us()
        cls.process = subprocess.Popen(command, preexec_fn=ending, **pipes)

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        if not cls.process:
            return
        lines = cls.process.communicate()[1].splitlines()
        failed, cls.process = cls.process.returncode, None
        for line in [f"No report: {''.join(lines[-1:])}"] if failed else lines:
            log.warning(line)
        if failed:
            return
        page, changes = Path(conf.html_dir, "report.html"), MADE.with_suffix(".json")
        page.write_text(MADE.read_text(encoding="utf-8").replace(*LEADING_HERE), "utf-8")
        found = json.loads(changes.read_text())
        os.replace(changes, page.with_suffix(".json"))
        MADE.unlink()
        # asv judges each series alone, and knows no noise between processes.
        path = str(Path(conf.html_dir, "regressions.json"))
        hashes = {revision: commit for commit, revision in revisions.items()}
        regressions = util.load_json(path)["regressions"]
        kept = confirmed(benchmarks, graphs, hashes, found, regressions)
        Regressions._save(conf, {"regressions": kept})
        save_feed(conf, benchmarks, kept, revisions, hashes)


def save_feed(conf: Any, benchmarks: Any, kept: list[Any], revisions: Any, hashes: Any) -> None:
    """asv's feed of the regressions `kept`. It reads all results for the dates of a few: here it
    finds no others."""
    ends = {end for *_, jumps in kept for jump in jumps for end in jump[:2] if end is not None}
    commits = {hashes[end][:8] for end in ends}
    with tempfile.TemporaryDirectory() as folder:
        for path in Path(conf.results_dir).glob("*/*.json"):
            if path.name == "machine.json" or path.name[:8] in commits:
                link = Path(folder, path.parent.name, path.name)
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(path.absolute())
        few = copy.copy(conf)
        few.results_dir = folder
        Regressions._save_feed(few, benchmarks, kept, revisions, hashes)


def confirmed(
    benchmarks: Any,
    graphs: Any,
    hashes: dict[int, str],
    changes: dict[str, Any],
    found: list[Any],
) -> list[Any]:
    """Those of asv's regressions `found` that are among the report's `changes`, by machine."""
    left = []
    for name, graph, params, index, last, best, jumps in found:
        benchmark = benchmarks[name.partition("(")[0]]
        # asv leaves out of a curve's parameters what all curves have in common.
        machine = params.get("machine") or next(iter(graphs.get_params()["machine"]))
        slower = slower_at(changes.get(machine, {}).get("changes", []), benchmark, index)
        if kept := [jump for jump in jumps if hashes.get(jump[1]) in slower]:
            left.append([name, graph, params, index, last, best, kept])
    return left


def slower_at(changes: list[Any], benchmark: dict[str, Any], index: int | None) -> set[str]:
    """The commits at which the point `index` of `benchmark` became slower."""
    values = next(itertools.islice(itertools.product(*benchmark["params"]), index or 0, None))
    given = zip(benchmark["param_names"], map(ast.literal_eval, values), strict=True)
    point = series(benchmark["name"], dict(given))
    return {
        change["commit"]
        for change in changes
        if change["slower"] and change["memory"] == point.memory
        if change["method"] in (point.method, ALL)
        for family in change["families"]
        if family["operation"] == operation(point.benchmark)
        for one in family["series"]
        if (one["nbytes"], one["dtype"]) == (point.nbytes, point.dtype)
    }


@replace(
    asv.commands.publish,
    "iter_machine_files",
    "one broken machine.json ends `asv publish`; and the report is made after asv's own work",
)
def iter_machine_files(original: Callable[[str], Iterator[str]], results_dir: str) -> Iterator[str]:
    """asv has emptied the site's folder when it calls this, and has all its work before it."""
    if not Report.process:
        Report.start(results_dir)
    for path in original(results_dir):
        try:  # as strict as asv is with the results of such a machine, which it skips
            known = util.load_json(path, api_version=Machine.api_version)
        except util.UserError:
            continue
        if isinstance(known.get("machine"), str):
            yield path


@replace(
    asv.commands.preview.Preview,
    "run",
    "`asv preview` listens on all interfaces; with no site yet, all that it says is Errno 2",
)
def preview(original: Callable[..., None], conf: Any, port: int = 0, browser: bool = False) -> None:
    """Serve the site to this machine alone; at another port than 8080 if that is taken."""
    if not Path(conf.html_dir, "index.html").is_file():
        raise util.UserError(f"There is no site in {conf.html_dir} yet: asv publish makes it")
    site = functools.partial(http.server.SimpleHTTPRequestHandler, directory=conf.html_dir)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port or 8080), site)
    except OverflowError as error:
        raise util.UserError(str(error)) from None
    except OSError as error:
        if port or error.errno != errno.EADDRINUSE:
            raise
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), site)
    address = f"http://127.0.0.1:{server.server_port}/"
    log.info(f"Serving at {address}")
    log.info("Press ^C to abort")
    if browser:
        webbrowser.open(address)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
