"""A long history on many machines, made out of the recorded results: for trying how asv's site, the
report and the tables carry what years of measuring will leave.

python tests/many_results.py FOLDER [COMMITS [MACHINES]]    # a clone with them; 100 and 10

Every point of a commit differs from the recorded one by its machine's factor and 1 % of noise;
every 20th commit pins another PyTorch, with which its transfers take 20 % longer, or no longer so.
"""

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parent.parent
SECONDS = "result", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75", "samples"
STEP = 20  # commits
DAY = 86_400


def recorded():
    """The results file with the most in it."""
    paths = (path for path in ROOT.glob("results/*/*-*.json") if path.name != "machine.json")
    return max(paths, key=lambda path: path.stat().st_size)


def git(repository, *words, **variables):
    who = "-c", "user.name=test", "-c", "user.email=test@test"
    command = ["git", *who, *words]
    done = subprocess.run(
        command, cwd=repository, env={**os.environ, **variables}, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def add_commits(repository, number, step):
    """Commits, a day apart, on top of HEAD; a list of (hash, seconds since 1970)."""
    pins = Path(repository, "requirements", "cu13.txt")
    start = int(git(repository, "show", "-s", "--format=%ct", "HEAD"))
    commits = []
    for commit in range(number):
        if commit and commit % step == 0:
            lines = pins.read_text().splitlines(keepends=True)
            pins.write_text(
                "".join(
                    f"torch==2.{commit}.0\n" if line.startswith("torch==") else line
                    for line in lines
                )
            )
        date = start + (commit + 1) * DAY
        at = {"GIT_AUTHOR_DATE": f"{date} +0000", "GIT_COMMITTER_DATE": f"{date} +0000"}
        git(repository, "commit", "-qa", "--allow-empty", "-m", f"commit {commit}", **at)
        commits.append((git(repository, "rev-parse", "HEAD"), date))
    return commits


def scaled(values, factor):
    """Numbers, or lists of numbers, times `factor`, with asv's six digits; None and NaN stay."""
    if not isinstance(values, list):
        if not values or values != values:
            return values
        return float(f"{values * factor:.6g}")
    digits = numpy.array(values, float) * factor
    size = 10.0 ** (5 - numpy.floor(numpy.log10(digits)))
    return (numpy.round(digits * size) / size).tolist()


def varied(data, factor, torch, random):
    """A results file's content with every duration multiplied by `factor`, and more or less 1 %.

    Durations of PyTorch are multiplied by `torch` too.
    """
    results = {}
    for name, row in data["results"].items():
        columns = dict(zip(data["result_columns"], row, strict=False))
        params = columns["params"]
        shape = [len(values) for values in params]
        factors = factor * random.normal(1, 0.01, shape)
        if "'torch'" in (params[0] if params else []):
            factors[params[0].index("'torch'")] *= torch
        factors = factors.flatten().tolist()
        for column in SECONDS:
            if columns.get(column):
                columns[column] = [*map(scaled, columns[column], factors)]
        results[name] = list(columns.values())
    return {**data, "results": results}


def fill(repository, commits=100, machines=10, step=STEP):
    """Add `commits` to the repository, a copy of this project, and their results on `machines`.

    After each `step` commits PyTorch is another one.
    """
    source = recorded()
    data = json.loads(source.read_text())
    facts = json.loads((source.parent / "machine.json").read_text())
    beside = [path for path in source.parent.glob(f"{source.stem}.*") if path != source]
    random = numpy.random.default_rng(0)
    history = add_commits(repository, commits, step)
    for number in range(machines):
        machine = {"machine": f"made-up-{number}", "gpu": f"Made-up GPU {number}"}
        folder = Path(repository, "results", machine["machine"])
        folder.mkdir(parents=True)
        (folder / "machine.json").write_text(json.dumps({**facts, **machine}))
        for commit, (commit_hash, date) in enumerate(history):
            torch = 1.2 if commit // step % 2 else 1.0
            new = varied(data, 1.1**number, torch, random)
            new.update(commit_hash=commit_hash, date=date * 1000)
            new["params"] = {**data["params"], **machine}
            name = source.stem.replace(data["commit_hash"][:8], commit_hash[:8])
            (folder / f"{name}.json").write_text(json.dumps(new))
            for path in beside:
                shutil.copy(path, folder / path.name.replace(source.stem, name))
    shutil.copy(ROOT / "results" / "benchmarks.json", Path(repository, "results"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folder", metavar="FOLDER", help="where to clone the project to")
    parser.add_argument("commits", metavar="COMMITS", nargs="?", type=int, default=100)
    parser.add_argument("machines", metavar="MACHINES", nargs="?", type=int, default=10)
    options = parser.parse_args()
    git(ROOT, "clone", "-q", str(ROOT), os.path.abspath(options.folder))
    fill(options.folder, options.commits, options.machines)
