"""A history of six stacks on one GPU: derived from a recorded result, with steps that are planted.

No GPU has measured these numbers: they are the recorded ones, times stated factors and noise.
"""

import itertools
import json
import re
from pathlib import Path

import numpy
import pytest

from scripts.change_points import history, in_words
from scripts.words.vocabulary import MEMORY
from tests import derived
from tests.stated import METHODS

MACHINE = derived.IN_TURN.parent.name
COMMITS = [f"c0ffee{number:02d}" * 5 for number in range(6)]
BENCHMARKS = json.loads((derived.IN_TURN.parent.parent / "benchmarks.json").read_text())
FACTS = json.loads(Path(f"{derived.IN_TURN}.provenance.jsonl").read_text().splitlines()[0])["facts"]
DRIFT, NOISE = 0.05, 0.002  # of a host from run to run; of a method's ratio


NARROW = {"link width": 8, "throttle reasons": ["hw thermal slowdown"]}


def made(results, planted=lambda *_: 1.0, seed=3, altered=None, machine=MACHINE):
    """Six results; the driver is another one in the last two. `altered` has other facts of some.

    `planted` gives how many times as long it takes, of the number, method, memory and bytes.
    """
    random = numpy.random.default_rng(seed)
    for number, commit in enumerate(COMMITS):
        drift = 1 + DRIFT * random.standard_normal()

        def slower(name, point, number=number, drift=drift):
            about = BENCHMARKS[name]
            values = next(itertools.islice(itertools.product(*about["params"]), point, None))
            of = dict(
                zip(about["param_names"], (value.strip("'") for value in values), strict=True)
            )
            factor = planted(number, *(of.get(name) for name in ("method", "memory", "nbytes")))
            return drift * factor * (1 + NOISE * random.standard_normal())

        facts = {
            **FACTS,
            "driver": "580" if number < 4 else "590",
            **(altered or {}).get(number, {}),
        }
        day = 86_400_000 * (1 + number)
        derived.result(results, machine, commit, day, slower, facts, of=derived.IN_TURN)
    return history.of_machine(results, machine)


def by_ratio(changes):
    return {(one.commit, one.method, one.memory): one for one in changes if one.by_ratio}


def test_steps_of_one_library_are_found_as_large_as_they_are_and_no_others(tmp_path):
    """Of 3 % at the fourth stack; and of 30 % that only the oldest stack has not shed yet."""

    def planted(number, method, memory, _):
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
    assert f"pycuda, pinned: {second.percent:.1f} % more time beside the other methods (" in text
    assert "Where driver 590 came, in the place of 580" in text


def test_the_least_step_that_is_said_would_be_found_and_half_of_it_would_not(tmp_path):
    _, said = made(tmp_path / "none")
    words = r"step of a library of (.*) % or more in pinned memory or of (.*) % or more in pageable"
    (least,) = re.findall(words, said[0])
    for memory, percent in zip(MEMORY, map(float, least), strict=True):
        for part in 1.15, 0.5:

            def planted(number, *of, memory=memory, size=1 + part * percent / 100):
                return size if number >= 2 and of[:2] == ("cupy", memory) else 1.0

            changes, said = made(tmp_path / memory / str(part), planted)
            found = set(by_ratio(changes))
            assert found == ({(COMMITS[2], "cupy", memory)} if part > 1 else set())
            assert ("would have been found where none was" in said[0]) == bool(found)


def test_noise_makes_the_least_step_larger(tmp_path):
    """A library's own, from stack to stack, as all of its sizes have it."""
    own = numpy.random.default_rng(1).standard_normal((6, 8))

    def noisy(number, method, memory, _):
        if memory not in MEMORY or method not in METHODS:
            return 1.0
        return 1 + 0.006 * own[number, 2 * METHODS.index(method) + MEMORY.index(memory)]

    changes, said = made(tmp_path, noisy)
    assert not by_ratio(changes)
    found = re.search(r"step of a library of (\S+) % or more in pinned", said[0])
    _, quiet = made(tmp_path)
    without = re.search(r"step of a library of (\S+) % or more in pinned", quiet[0])
    assert float(found[1]) > 1.2 * float(without[1])


def test_a_doubtful_result_is_marked_at_its_commit(tmp_path):
    """At a step, on either side of it, with its words; and where there is no step."""

    def planted(number, *of):
        return 1.05 if number >= 3 and of[:2] == ("cupy", "pinned") else 1.0

    changes, said = made(tmp_path, planted, altered={1: NARROW, 2: NARROW})
    text = in_words.text(changes, said)
    assert f" {COMMITS[3][:8]}, after {COMMITS[2][:8]} (doubtful)\n" in text
    words = "The link ran as Gen5 x8 under load"
    (at_step,) = (line for line in text.splitlines() if line.startswith("  Doubtful, c0ffee02: "))
    (alone,) = (line for line in text.splitlines() if line.startswith("Doubtful, c0ffee01: "))
    for line in at_step, alone:
        assert words in line
        assert "thermal" in line
    assert words in in_words.markdown(changes, said)
    assert words in in_words.as_json(changes, said)["changes"][0]["doubts"][COMMITS[2]][0]
    assert f"after {COMMITS[2][:8]} (doubtful)" in in_words.last(changes[:1], said)[0]


@pytest.mark.parametrize("seed", range(4))
def test_where_nothing_changed_no_library_is_found(tmp_path, seed):
    changes, said = made(tmp_path, seed=seed)
    assert by_ratio(changes) == {}
    # All together may seem to change, as the host drifts: nobody says then that the driver did it.
    (driver,) = (line for line in said if line.startswith("Where driver 590"))
    there = any(change.commit == COMMITS[4] for change in changes)
    assert ("by seconds, so it may be the host" in driver) == there
    assert ("would show from 10 to 30 % on" in driver) == (not there)
