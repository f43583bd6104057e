"""Lines of our own files that are of another shape."""

import json

from scripts.recording import journal, noise
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


def test_a_column_of_the_noise_that_is_null_is_as_one_that_is_not_there(tmp_path):
    line = {"benchmark": "a.b", "version": "1", "parameters": [1], "quiet": [25, 3]}
    path = tmp_path / "noise"
    for columns in {}, dict.fromkeys(("samples", "sentinel", "visit")):
        path.write_text(json.dumps(line | columns) + "\n")
        ((_, point),) = noise.load(path).items()
        assert [point[name] for name in noise.COLUMNS] == [
            [25, 25],
            [25, 3],
            [None] * 2,
            [None] * 2,
        ]
