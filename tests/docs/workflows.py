"""The workflows, as the tests read them."""

import yaml

from tests.conftest import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


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
