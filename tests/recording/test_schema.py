"""Lines of our own files that are of another shape."""

from scripts.recording import journal
from tests.reading import broken
from tests.reading.broken import DEEP, HUGE, YEAR_9000

NOTE = {"visit": "a1", "samples": 1, "quiet": 1, "sentinel": 6e-5}


def test_the_lines_of_an_unfinished_run_of_another_shape_are_forgotten(tmp_path):
    samples = {"columns": [[True], [[1e-5]], [1]], "notes": [NOTE]}
    wrong = [
        *(None, DEEP, {"run": {"started": YEAR_9000}}, {"key": "b"}, {"key": [], "process": 1}),
        {"key": "c", "process": {**samples, "columns": [[HUGE], [[1e-5]], [1]]}},
        {"key": "d", "process": {**samples, "columns": [[1e-5], [None], [1]]}},
    ]
    kept = {"key": "a", "process": samples}
    path = tmp_path / "c0ffee00-env.json"
    lines = "".join(broken.written(line) + "\n" for line in [*wrong, kept])
    path.with_suffix(journal.SUFFIX).write_text(lines)
    unfinished = journal.Journal(path)
    assert (unfinished.kept, unfinished.runs) == ({"a": samples}, [])
