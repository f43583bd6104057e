"""The workflows that others copy: that they give nothing away, and what hands what to what.

GitHub itself cannot be had here. test_workflow_lint.py has the syntax, test_workflow_scripts.py
what the scripts in them do.
"""

import os
import re
import subprocess
import sys

from tests.conftest import ROOT
from tests.docs.workflows import FILES, all_jobs, all_steps, read

PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


def writes(permissions):
    return [scope for scope, access in permissions.items() if access == "write"]


def hosted(job):
    return job["runs-on"] == "ubuntu-latest"


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
        ("pins", "propose"): ["contents", "pull-requests", "actions"],
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
            pushes = {("nightly", "record"), ("pins", "propose")}
            assert kept == ((workflow, job) in pushes), (workflow, job)


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
    looks = 2 * [("scripts/hand_over.py",)]
    tables = 2 * [("scripts/setup/moved.py",)]
    assert sorted(called) == [*programs, *looks, *tables, ("scripts/test.py",)]


def test_what_an_untrusted_runner_hands_over_lands_in_a_folder_of_its_own():
    """Not in the checkout, nor in RUNNER_TEMP itself, where the runner and checkout keep files."""
    places = {}
    for workflow, job, step in all_steps():
        if "actions/download-artifact@" in step.get("uses", ""):
            places[workflow, job] = step["with"]
    measured = {
        "artifact-ids": "${{ needs.measure.outputs.files }}",
        "path": "${{ runner.temp }}/measured",
    }
    assert places == {
        ("gate", "comment"): {"name": "gate", "path": "gate"},  # this job has no checkout
        ("nightly", "look"): measured,
        ("nightly", "record"): measured,
        ("pins", "propose"): {
            "artifact-ids": "${{ needs.resolve.outputs.files }}",
            "path": "${{ runner.temp }}/pins",
        },
    }


def test_the_site_is_not_made_where_pull_requests_have_run():
    """It would be somebody's scripts on the owner's domain."""
    made = [
        (workflow, job)
        for workflow, job, step in all_steps()
        if "actions/upload-pages-artifact@" in step.get("uses", "")
    ]
    assert made == [("nightly", "look")]
    jobs = read("nightly")["jobs"]
    assert jobs["look"]["permissions"] == {"contents": "read"}
    assert hosted(jobs["look"])
