"""A history of six stacks on one GPU: derived from a recorded result, with steps that are planted.

No GPU has measured these numbers: they are the recorded ones, times stated factors and noise.
"""

import itertools
import json
from pathlib import Path

import numpy
import pytest

from scripts.change_points import history, in_words
from tests import derived

MACHINE = derived.IN_TURN.parent.name
COMMITS = [f"c0ffee{number:02d}" * 5 for number in range(6)]
BENCHMARKS = json.loads((derived.IN_TURN.parent.parent / "benchmarks.json").read_text())
FACTS = json.loads(Path(f"{derived.IN_TURN}.provenance.jsonl").read_text().splitlines()[0])["facts"]
DRIFT, NOISE = 0.05, 0.002  # of a host from run to run; of a method's ratio


def made(results, planted=lambda number, method, memory: 1.0, seed=3):
    """Six results; the driver is another one in the last two."""
    random = numpy.random.default_rng(seed)
    for number, commit in enumerate(COMMITS):
        drift = 1 + DRIFT * random.standard_normal()

        def slower(name, point, number=number, drift=drift):
            about = BENCHMARKS[name]
            values = next(itertools.islice(itertools.product(*about["params"]), point, None))
            of = dict(
                zip(about["param_names"], (value.strip("'") for value in values), strict=True)
            )
            factor = planted(number, of.get("method"), of.get("memory"))
            return drift * factor * (1 + NOISE * random.standard_normal())

        facts = {**FACTS, "driver": "580" if number < 4 else "590"}
        day = 86_400_000 * (1 + number)
        derived.result(results, MACHINE, commit, day, slower, facts, of=derived.IN_TURN)
    return history.of_machine(results, MACHINE)


def by_ratio(changes):
    return {(one.commit, one.method, one.memory): one for one in changes if one.by_ratio}


def test_steps_of_one_library_are_found_as_large_as_they_are_and_no_others(tmp_path):
    """Of 3 % at the fourth stack; and of 30 % that only the oldest stack has not shed yet."""

    def planted(number, method, memory):
        if (method, memory) == ("pycuda", "pinned"):
            return 1.03 if number >= 3 else 1.0
        return 1.3 if (number, method, memory) == (0, "cupy", "pinned") else 1.0

    changes, said = made(tmp_path, planted)
    found = by_ratio(changes)
    assert set(found) == {(COMMITS[1], "cupy", "pinned"), (COMMITS[3], "pycuda", "pinned")}
    first, second = found.values()
    assert first.candidate
    assert not second.candidate
    assert first.percent == pytest.approx(100 / 1.3 - 100, abs=1)
    assert second.percent == pytest.approx(3, abs=0.4)
    assert said[0].startswith("in 6 commits; ")
    text = in_words.text(changes, said)
    assert f"pycuda, pinned: {second.percent:.1f} % slower beside the other methods (99 %: " in text
    assert "Where driver 590 came, in the place of 580" in text


@pytest.mark.parametrize("seed", range(4))
def test_where_nothing_changed_no_library_is_found(tmp_path, seed):
    changes, said = made(tmp_path, seed=seed)
    assert by_ratio(changes) == {}
    # All together may seem to change, as the host drifts: nobody says then that the driver did it.
    (driver,) = (line for line in said if line.startswith("Where driver 590"))
    there = any(change.commit == COMMITS[4] for change in changes)
    assert ("by seconds, so it may be the host" in driver) == there
    assert ("would show from 10 to 30 % on" in driver) == (not there)
