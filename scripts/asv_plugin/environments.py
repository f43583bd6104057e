"""asv's environments: one made for a commit's stack, and a Python that is there already."""

import functools
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asv import util
from asv.console import log
from asv.environment import (
    Environment,
    EnvironmentUnavailable,
    ExistingEnvironment,
    get_env_name,
)
from asv.plugins.virtualenv import Virtualenv

from scripts.asv_plugin.replaced import replace
from scripts.setup import environment, git, progress, stack

failures: list[str] = []  # why each command failed that asv ran in an environment

VERSION_AND_LACKING = """
import sys
from importlib.util import find_spec
lacking = [name for name in ("asv_runner", "numpy") if not find_spec(name)]
print("%d.%d" % sys.version_info[:2], *lacking)
"""


def reason(error: util.ProcessError) -> str:
    """One line of what a failed command printed."""
    told = git.reason(error.stderr or error.stdout or "") or str(error)
    if "No matching distribution" in told:
        told += "; is the package index within reach?"
    return told


def noting(method: Callable[..., Any]) -> Callable[..., Any]:
    """`method`, whose failed commands are in `failures`: asv only logs them, and goes on."""

    @functools.wraps(method)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except util.ProcessError as error:
            failures.append(reason(error))
            raise

    return called


class Stack(Virtualenv):
    """A commit's own stack, installed by scripts/setup/stack.py."""

    def _get_install_checksum(self) -> list[Any]:
        """Another driver, or --stack, may choose another stack for the same commit."""
        return [
            *super()._get_install_checksum(),
            str(stack.cuda_version()),
            os.environ.get("STACK"),
        ]

    def run_executable(self, executable: str, args: list[str], **kwargs: Any) -> Any:
        """With none of the user's Python variables, but ASV_PYTHONPATH, which asv hands on."""
        kwargs["env"] = environment.without_python(kwargs.get("env", os.environ))
        return super().run_executable(executable, args, **kwargs)

    def checkout_project(self, repo: Any, commit_hash: str) -> None:
        """A clone that was made with --filter lacks files, which asv's clone could not fetch."""
        try:
            git.bring(commit_hash, repo._path)
            git.bring("HEAD", repo._path)  # which git checks out when it clones
        except git.CannotSay as error:
            told = f"The files of {commit_hash[:8]} cannot be had: {error}"
            raise util.UserError(told) from None
        super().checkout_project(repo, commit_hash)

    def create(self) -> None:
        try:
            super().create()
        except (OSError, util.ProcessError) as error:  # a full disk; no network
            told = reason(error) if isinstance(error, util.ProcessError) else error
            raise util.UserError(f"The environment could not be made: {told}") from None

    @noting
    def _setup(self) -> None:
        """As asv's, but that where virtualenv fails, its traceback is not shown."""
        command = [sys.executable, "-m", "virtualenv", "--setuptools=bundle", "-p"]
        variables = {**os.environ, **self.build_env_vars}
        command += [self._executable, self._path]
        util.check_call(command, env=variables, display_error=False)
        self._install_requirements()

    run = noting(Virtualenv.run)

    @noting
    def install_project(self, *args: Any) -> None:
        with progress.of_pip(Path(self._path), log.flush):
            super().install_project(*args)


class Installed(ExistingEnvironment):
    """A Python with its libraries, called by its version: asv's own name for it is its path, which
    would be published, and a new curve for every host."""

    def __init__(self, conf: Any, executable: str, *args: Any) -> None:
        try:
            super().__init__(conf, executable, *args)
        except EnvironmentUnavailable:
            raise EnvironmentUnavailable(f"No Python at {executable}") from None
        told = self.run(["-c", VERSION_AND_LACKING], dots=False, display_error=False)
        self._python, *lacking = told.splitlines()[-1].split()
        if lacking:
            install = f"pip install asv_runner=={version('asv_runner')} numpy"
            raise util.UserError(f"{self._executable} has no {', '.join(lacking)}: {install}")

    @property
    def name(self) -> str:
        return get_env_name(self.tool_name, self._python, {}, self._tagged_env_vars)

    run = noting(ExistingEnvironment.run)


OURS: dict[type, type] = {Virtualenv: Stack, ExistingEnvironment: Installed}


@replace(Environment, "__new__", "asv makes environments of its own classes, also where ours are")
def new(original: Callable[[type], Any], cls: type, *args: Any) -> Any:
    return original(OURS.get(cls, cls))
