"""What an unfinished run has measured, process by process, so that the next run goes on from there.

asv writes results only when a run is over. Until then every process that measured is a line of JSON
in a file beside the results, which a finished run takes away again: its key (what was measured, and
the how-manieth process of its point it was) and all that asv and noise.py want of it.
"""

import collections
import json
from pathlib import Path

SUFFIX = ".unfinished.jsonl"


class Journal:
    """The journal of the results file `results_file`; a broken line was not written whole."""

    def __init__(self, results_file):
        self.path = Path(results_file).with_suffix(SUFFIX)
        self.kept, self.used = {}, set()
        self.count = collections.Counter()  # processes of each point in this run
        for line in self.path.read_text().splitlines() if self.path.is_file() else []:
            try:
                entry = json.loads(line)
                self.kept[entry["key"]] = entry["process"]
            except (ValueError, KeyError, TypeError):
                continue
        self.write()

    def write(self):
        """Replace the file by what is kept and not used; no file if that is nothing."""
        rest = {key: process for key, process in self.kept.items() if key not in self.used}
        if not rest:
            self.path.unlink(missing_ok=True)
            return
        new = Path(f"{self.path}.new")
        new.write_text("".join(self.line(*entry) for entry in rest.items()))
        new.replace(self.path)

    @staticmethod
    def line(key, process):
        return json.dumps({"key": key, "process": process}) + "\n"

    def next_process(self, *point):
        """The key of the next process of `point`, and what is kept of it, or None."""
        number = self.count[point]
        self.count[point] += 1
        key = json.dumps([*point, number])
        self.used.add(key)
        return key, self.kept.get(key)

    def add(self, key, process):
        with open(self.path, "a") as file:
            file.write(self.line(key, process))
        self.kept[key] = process
