"""asv's own pages, so that they work with no internet and lead to the report.

asv's index.html loads its scripts from content delivery networks. `asv publish` puts the same files
beside it, from the npm packages that requirements/site/ pins, with their licences. npm fetches them
once, into .asv/npm; where it cannot, the pages stay as asv made them.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from asv.console import log
from asv.publishing import OutputPublisher

from scripts.setup import children

ROOT = Path(__file__).resolve().parents[2]
PINS = [ROOT / "requirements" / "site" / name for name in ("package.json", "package-lock.json")]
CACHE = ROOT / ".asv" / "npm"
SECONDS = 60  # for npm, which fetches 2 MB; it waits much longer for a network that does not answer
NPM = "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"

FILES = {  # what asv 0.6.6's index.html loads (the end of the address), and where npm has it
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.min.js": "flot/jquery.flot.js",
    "jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
LOADED = re.compile(r'<(?:script|link) [^>]*"(https?://[^"]*/([^"/]*))"[^>]*>')
OF_THE_NETWORK = re.compile(r' (?:integrity|crossorigin|referrerpolicy)="[^"]*"')


class Unavailable(Exception):
    """The packages cannot be had now; the text says why."""


class Pages(OutputPublisher):
    name = "offline"
    button_label = "Offline"
    description = "Let asv's pages load their scripts from beside them"

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        html = Path(conf.html_dir)
        for name in list(benchmarks):  # the pages ask for the graph of whatever they list
            if not (html / "graphs" / "summary" / f"{name}.json").is_file():
                del benchmarks[name]
        index = html / "index.html"
        page = index.read_text(encoding="utf-8")
        if (html / "report.html").is_file():
            page = link_to_report(page)
        try:
            page = bring_along(page, packages(), html / "npm")
        except (Unavailable, OSError) as error:
            log.warning(
                f"asv's pages will load their scripts from the internet: {error}. To look at them "
                "without it, publish once with npm and a network: asv publish"
            )
        index.write_text(page, encoding="utf-8")


def link_to_report(page: str) -> str:
    """asv's index.html with the report as the first entry of its navigation."""
    first = '<li id="nav-li-" class="active">'
    return page.replace(first, f'<li><a href="report.html">Report</a></li>\n\t{first}', 1)


def bring_along(page: str, packages: Path, folder: Path) -> str:
    """asv's index.html as `page`, loading nothing from the network but all from `folder` beside it.

    `packages` is npm's node_modules; the files, and the licence and package.json of each package,
    are copied into `folder`. OSError if one is missing there, Unavailable if asv loads another one.
    """

    def beside(match: re.Match[str]) -> str:
        if match[2] not in FILES:
            raise Unavailable(f"no package in requirements/site has {match[2]}")
        file = FILES[match[2]]
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packages / file, target)
        return OF_THE_NETWORK.sub("", match[0]).replace(match[1], f"{folder.name}/{file}")

    page = LOADED.sub(beside, page)
    for package in {file.split("/")[0] for file in FILES.values()}:
        for path in [packages / package / "package.json", *(packages / package).glob("LICENSE*")]:
            shutil.copyfile(path, folder / package / path.name)
    return page


def packages() -> Path:
    """node_modules with the pinned packages, fetched by npm if they are not there yet."""
    pins = hashlib.sha256(b"".join(path.read_bytes() for path in PINS)).hexdigest()
    done = CACHE / pins[:16]
    if not done.is_dir():
        fetch(done)
    return done / "node_modules"


def fetch(done: Path) -> None:
    """Make the folder `done`, with node_modules in it, whole or not at all. Unavailable if not."""
    if not shutil.which("npm"):
        raise Unavailable("npm is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        new = Path(folder, "new")
        new.mkdir()
        for path in PINS:
            shutil.copy(path, new)
        log.info("Fetching the scripts of asv's pages, once, with npm")
        try:
            npm = subprocess.run(
                [*NPM, f"--cache={folder}/cache"],  # a home may be read-only
                cwd=new,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                preexec_fn=children.ending_with_us(),
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"npm got no answer in {SECONDS} s") from None
        if npm.returncode:
            said = npm.stderr.decode(errors="replace").splitlines()
            raise Unavailable(next((line for line in said if "error" in line), "npm failed"))
        if not done.is_dir():  # another `asv publish` may have been faster
            os.rename(new, done)
