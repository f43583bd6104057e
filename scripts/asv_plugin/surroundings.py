"""What asv runs in: a clean environment, a folder for its temporary files, whole clones; and what
it starts ends with it. In effect once it is imported, before anything else of the plugin."""

import subprocess
from types import SimpleNamespace

from asv import util
from asv.environment import Environment, ExistingEnvironment
from asv.plugins.git import Git

from scripts.setup import children, environment, git, temporary
from scripts.words import one_line  # noqa: F401 - a full disk is one line

environment.clean()
temporary.use()


class Child(subprocess.Popen):
    def __init__(self, *args, preexec_fn=None, **kwargs):
        super().__init__(*args, preexec_fn=children.ending_with_us(preexec_fn), **kwargs)


util.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": Child})

run_executable = Environment.run_executable
checkout = Git.checkout
create = Environment.create


def run_in_ours(self, executable, args, **kwargs):
    """An environment that asv has made is entered with none of the user's Python variables.

    But ASV_PYTHONPATH, which asv hands on to the benchmarks.
    """
    if not isinstance(self, ExistingEnvironment):
        kwargs["env"] = environment.without_python(kwargs.get("env", environment.os.environ))
    return run_executable(self, executable, args, **kwargs)


def check_out_whole(self, path, commit_hash):
    """A clone that was made with --filter lacks files, which asv's clone of it could not fetch."""
    try:
        git.bring(commit_hash, self._path)
        git.bring("HEAD", self._path)  # which git checks out when it clones
    except git.CannotSay as error:
        raise util.UserError(f"The files of {commit_hash[:8]} cannot be had: {error}") from None
    return checkout(self, path, commit_hash)


def create_or_say(self):
    try:
        return create(self)
    except OSError as error:  # a full disk
        raise util.UserError(f"The environment could not be made: {error}") from None


Environment.run_executable = run_in_ours
Git.checkout = check_out_whole
Environment.create = create_or_say
