"""Which method, and what else the report says in words, of results whose answer is known."""

import json
import re
from pathlib import Path

import pytest

from scripts.answers import choosing, sentences
from scripts.reading import points
from scripts.words.vocabulary import OTHERS
from tests import derived, stated
from tests.conftest import VERSION_1

COMMIT = "c0ffee00" * 5
DTYPES, SIZES = 5, 7
METHODS = ["cuda-python", "torch", "cupy", "pycuda"]


def made(folder, micros):
    """The table of a result whose transfers took micros(method, memory, dtype, size) µs.

    The four are numbers: memory 0 is pageable, 1 pinned; dtype 2 is float32.
    """
    about = json.loads(Path(f"{derived.VERSION_1}.json").read_text())
    column = about["result_columns"].index("result")

    def slower(name, index):
        if not name.startswith("host_to_device"):
            return 1.0
        place = index // (2 * DTYPES * SIZES), index // (DTYPES * SIZES) % 2
        wanted = micros(*place, index // SIZES % DTYPES, index % SIZES)
        return wanted and 1e-6 * wanted / about["results"][name][column][index]

    path = derived.result(folder, "m", COMMIT, 1, slower)
    return path, points.load(folder)[0]


def test_the_fastest_those_like_it_and_what_the_others_cost(tmp_path):
    def micros(method, memory, dtype, size):
        if memory == 1:
            return [10, 10.01, 20, 30 + 10 * size][method]
        return [10, 20, 20, 20][method] if size < 3 else [40, 40, 40, 20][method]

    _, run = made(tmp_path, micros)
    (pinned,) = choosing.fastest(run, "pinned", "existing_array")
    assert pinned["sizes"] == "1 KiB to 256 MiB"
    assert pinned["best"] == ["cuda-python", "torch"]
    assert pinned["others"]["cupy"] == pytest.approx((100, 100))
    assert pinned["others"]["pycuda"] == pytest.approx((200, 800))
    small, large = choosing.fastest(run, "pageable", "new_array")
    assert (small["sizes"], small["best"]) == ("1 KiB to 64 KiB", ["cuda-python"])
    assert (large["sizes"], large["best"]) == ("512 KiB to 256 MiB", ["pycuda"])
    assert set(small["others"]) == {"torch", "cupy", "pycuda"}


def test_a_method_that_is_missing_at_some_sizes(tmp_path):
    def micros(method, memory, dtype, size):
        return None if method == 2 and size > 3 else [10, 20, 30, 40][method]

    _, run = made(tmp_path, micros)
    small, large = choosing.fastest(run, "pinned", "existing_array")
    assert (small["sizes"], large["sizes"]) == ("1 KiB to 512 KiB", "4 MiB to 256 MiB")
    assert set(large["others"]) == {"torch", "pycuda"}


def test_what_nobody_knows_is_not_said():
    """The recorded H100, as if its processes' spread were not known."""
    table, _ = points.load(VERSION_1, machines={"nvidia-h100-80gb-hbm3"})
    run = table[table["commit"].astype(str).str.startswith("e62adfd3")]
    assert choosing.pinned_from(run, "existing_array")["torch"] == 64 << 10
    assert choosing.transfers_to_pay(run, "existing_array")["torch"][4 << 20] == 7
    unknown = run.assign(log_sd=float("nan"))
    assert choosing.pinned_from(unknown, "existing_array") == {}
    assert choosing.transfers_to_pay(unknown, "existing_array") == {}


def test_from_which_size_on_pinned_is_faster(tmp_path):
    def micros(method, memory, dtype, size):
        slow = 100 if method == 1 else 20 if size > 2 or size == 1 else 9
        return 10 if memory == 1 or method == 3 else slow

    _, run = made(tmp_path, micros)
    wanted = {"cuda-python": 524288, "cupy": 524288, "torch": 1024, "pycuda": None}
    assert choosing.pinned_from(run, "existing_array") == wanted
    said = sentences.pinned_or_pageable(run)
    assert said[0] == (
        "Into an existing array, pinned memory is faster than pageable "
        "from 1 KiB on with torch; from 512 KiB on with cuda-python and cupy."
    )
    assert "at the largest size not measurably faster than pageable with pycuda" in said[1]


def test_after_how_many_transfers_pinning_has_paid(tmp_path):
    path, run = made(tmp_path, lambda method, memory, *_: 10 if memory else 10 + 10 * method)
    assert choosing.transfers_to_pay(run, "existing_array") == {}
    derived.add_benchmark(
        path,
        OTHERS["pin"],
        "seconds",
        {(method, nbytes): 95e-6 for method in METHODS for nbytes in (1024, 8192)},
    )
    (run, left_out) = points.load(tmp_path)
    assert not left_out
    assert choosing.transfers_to_pay(run, "existing_array") == {
        "cuda-python": {1024: None, 8192: None},
        "torch": {1024: 10, 8192: 10},
        "cupy": {1024: 5, 8192: 5},
        "pycuda": {1024: 4, 8192: 4},
    }


def test_cold_start_and_installed_size(tmp_path):
    path, run = made(tmp_path, lambda *_: 10)
    assert choosing.cold_start(run) == {}
    for name, unit, value in (
        ("time_import", "seconds", 1.5),
        ("time_copy", "seconds", 0.25),
        ("track_installed_bytes", "bytes", 5e9),
    ):
        values = {(method,): value for method in METHODS[:2]}
        derived.add_benchmark(path, f"cold_start.ColdStart.{name}", unit, values)
    run, left_out = points.load(tmp_path)
    assert not left_out
    facts = {"import": 1.5, "first copy": 0.25, "installed": 5e9}
    assert choosing.cold_start(run) == {"cuda-python": facts, "torch": facts}


def test_whether_the_dtype_matters(tmp_path):
    _, run = made(tmp_path / "no", lambda *_: 10)
    answer, _ = sentences.dtypes(run)
    assert answer == "No: the time depends on the bytes, not on the dtype."
    _, run = made(tmp_path / "yes", lambda method, memory, dtype, size: 10 + 5 * (dtype == 0))
    answer, numbers = sentences.dtypes(run)
    assert answer.startswith("In places")
    assert "Of 112 combinations" in numbers
    assert "50.0 % behind the fastest" in numbers
    assert "in 112 the dtypes differ" in numbers
    assert "uint8 takes 50 % longer than the fastest" in numbers
    _, run = made(tmp_path / "one", lambda method, memory, dtype, size: 10 if dtype == 2 else None)
    assert sentences.dtypes(run) == ["One dtype was measured, so nothing is known of the others."]


def in_turn(folder, factor, **options):
    """The table of a result made of stated truths, whose methods were measured in turn."""
    stated.result(folder, factor, **options)
    return points.load(folder)[0]


def test_the_fastest_by_ratios_and_how_good_the_costs_are(tmp_path):
    truth = {"cuda-python": 1.0, "torch": 1.05, "cupy": 1.0, "pycuda": 1.2}
    run = in_turn(tmp_path, lambda point: truth[point[1]])
    for memory in "pinned", "pageable":
        (answer,) = choosing.fastest(run, memory, "new_array")
        assert sorted(answer["best"]) == ["cuda-python", "cupy"]
        least_margin, margin = answer["margin"]
        assert 0.5 < least_margin <= margin < 4  # the host drifts by 10
        for method, cost in ("torch", 5), ("pycuda", 20):
            least, most = answer["others"][method]
            assert cost - margin < least < most < cost + margin


DTYPE_NAMES = ["uint8", "float16", "float32", "float64", "complex64"]


def test_a_dtype_that_one_method_is_slow_with_is_found_by_ratios(tmp_path):
    """By 3 %, while the host drifts by 10."""

    def slow(point):
        return 1.03 if (point[1], point[3]) == ("cupy", "float16") else 1.0

    answer, numbers, in_different_visits, together = sentences.dtypes(
        in_turn(tmp_path, slow, dtypes=DTYPE_NAMES)
    )
    assert answer.startswith("In places")
    assert "Of 112 combinations of method, memory, operation and size" in numbers
    assert re.search(r"Most at cupy, .*: float16 takes \d % longer", numbers)
    assert in_different_visits == sentences.IN_TURN
    assert "Of 28 combinations" in together
    assert "in 0 the dtypes differ" in together
    found = choosing.dtype_differences(in_turn(tmp_path, slow, dtypes=DTYPE_NAMES))
    sure = found[found["p"] < 1e-4]
    assert set(sure["method"]) == {"cupy"}
    assert len(sure) > 20


def test_a_dtype_that_all_methods_are_slow_with_is_found_by_seconds(tmp_path):
    run = in_turn(tmp_path, lambda point: 1.5 if point[3] == "uint8" else 1.0, dtypes=DTYPE_NAMES)
    answer, numbers, _, together = sentences.dtypes(run)
    assert answer.startswith("In places")
    assert "Most at" not in numbers
    assert "Most at all methods, " in together
    assert ": uint8 takes " in together


def test_no_dtype_matters_where_none_does(tmp_path):
    answer, *_ = sentences.dtypes(in_turn(tmp_path, lambda point: 1.0, dtypes=DTYPE_NAMES))
    assert answer == "No: the time depends on the bytes, not on the dtype."


def test_a_method_without_one_of_the_dtypes_moves_no_other(tmp_path):
    """Without it the mean of the methods is another one."""

    def factor(point):
        gone = (point[1], point[3]) == ("pycuda", "float16")
        return None if gone else {"pycuda": 2.0}.get(point[1], 1.0)

    found = choosing.dtype_differences(in_turn(tmp_path, factor, dtypes=DTYPE_NAMES))
    assert (found["p"] < 1e-4).sum() == 0


def test_the_noise_of_ratios_is_said(tmp_path):
    said = " ".join(sentences.noise(in_turn(tmp_path, lambda point: 1.0)))
    assert re.search(r"a method's ratio to the others varies by 0\.[4-9]\d? to 0\.[4-9]\d? %", said)
