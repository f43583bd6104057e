"""The answer first: what it says of made-up results whose truth is stated, and never of ties."""

import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scripts.answers import first, sentences, standings
from scripts.reading import points
from scripts.recording import provenance
from scripts.words.formats import size
from tests.answers import made_up

INTO = "into an existing device array"
TYPICAL = [{"started": 1, "ended": 2, "processes": 1, "facts": {"python": "3.12.3"}}]


def said(*parts, **more):
    run = made_up.run(*parts)
    return first.of(run, run, TYPICAL, **more)


def small_calls(nbytes):
    """PyTorch and PyCUDA take longer, by what a call of theirs does."""
    return {} if nbytes > 1 << 20 else {"torch": 1.2, "pycuda": 1.5}


def test_sentence_by_sentence():
    pinned = made_up.transfers("existing_array", "pinned", small_calls)
    pageable = made_up.transfers("existing_array", "pageable", link=1e10)
    found = said(pinned, pageable, changed=["What changed last: nothing."])
    assert found[0] == (
        f"Pin what you send often: {INTO} pinned memory is faster from 64 KiB on with cuda-python, "
        "torch and cupy and from 512 KiB on with pycuda; at 256 MiB it is 5.0 times as fast, 49.9 "
        "against 10.0 GB/s."
    )
    assert found[1] == (
        f"Which library, for a pinned array {INTO}: from 1 KiB to 512 KiB cuda-python and cupy, "
        "which cannot be told apart, and the slowest takes 50 % longer; from 4 MiB to 256 MiB none "
        "is measurably faster than another."
    )
    least = (
        f"1 KiB takes, by library, 10 to 15 µs from pinned memory {INTO} and 10.1 µs from pageable "
        "memory."
    )
    assert found[2] == least
    assert found[3:] == ["What changed last: nothing."]


def test_the_fastest_and_where_it_hardly_matters():
    def factors(nbytes):
        others = 1.03 if nbytes > 1 << 20 else 1.3
        return {"torch": others, "cupy": others + 0.1 * (nbytes < 1 << 20), "pycuda": others}

    (sentence,) = first.library(
        standings.of(made_up.transfers("existing_array", "pinned", factors), "existing_array")
    )
    assert sentence.endswith(
        "from 1 KiB to 512 KiB cuda-python is the fastest, and the slowest takes 40 % longer; from "
        "4 MiB to 256 MiB it hardly matters, all are within 3 % of each other."
    )


def test_doubts_come_first_and_nothing_is_said_of_what_was_not_measured():
    run = made_up.transfers("existing_array", "pageable")
    narrow = [{**TYPICAL[0], "facts": {"gpu uuid hash": "1", "python": "3.12.3"}}]
    found = first.of(run, run, narrow)
    assert re.match("Doubtful: NVML does not answer: ", found[0])
    assert found[1:] == ["1 KiB takes, by library, 10 µs from pageable memory."]
    copies = made_up.rows("link", {1024: {"x": 1e-6}}, method=None)
    assert first.of(copies, copies, TYPICAL) == []


def test_nothing_is_said_of_sizes_or_libraries_that_were_not_measured():
    parts = [made_up.transfers("existing_array", memory) for memory in ("pinned", "pageable")]
    alike = f"Pinned memory is not measurably faster than pageable, {INTO}, at "
    (smallest,) = (part[part["nbytes"].eq(1024)] for part in parts[1:])
    assert said(parts[0], smallest)[0] == f"{alike}1 KiB, the largest measured of both."
    assert said(*parts)[0] == f"{alike}256 MiB, the largest measured of both."
    one = [part[part["method"].eq("torch")] for part in parts]
    kib = (
        "1 KiB takes 10 µs from pinned memory into an existing device array and 10 µs from pageable"
    )
    assert f"{kib} memory." in said(*one)


def test_faster_in_between_is_not_never():
    """What is faster at some sizes, and not at the largest."""

    def factors(nbytes):
        return dict.fromkeys(made_up.METHODS, 3.0 if nbytes == 32 << 20 else 1.0)

    pinned = made_up.transfers("existing_array", "pinned")
    pageable = made_up.transfers("existing_array", "pageable", factors)
    run = made_up.run(pinned, pageable)
    (found,) = first.pinning(run)
    assert found.endswith("at 256 MiB, the largest measured of both.")
    (told,) = sentences.pinned_or_pageable(run)
    assert "at the largest size not measurably faster" in told


def test_an_unknown_noise_names_nobody():
    run = made_up.transfers("existing_array", "pinned", small_calls)
    unknown = run.assign(relative_sd=math.nan, log_sd=math.nan)
    found = " ".join(said(unknown))
    assert "Doubtful: The noise is not known" in found
    assert "nobody knows" in found
    assert "fastest" not in found


def test_the_recorded_result_is_told_by_its_own_numbers():
    table, _ = points.load(machines={"nvidia-h100-80gb-hbm3"})
    run = table[table["commit"].eq(table["commit"].iloc[-1])]
    runs = provenance.beside(points.RESULTS, [], *run[points.RUN].iloc[0])
    link, pin, which, least, ordinary = first.of(run, table, runs)
    ok = run[run["status"].eq("ok") & (run["dtype"].isna() | run["dtype"].eq("float32"))]
    rates = ok.set_index("operation")["gb_per_s"]
    assert f"{rates['link'].max():.1f} of the 63.0 GB/s" in link
    transfers = ok[ok["operation"].eq("existing_array")]
    best = transfers.groupby(["memory", "nbytes"], observed=True)["gb_per_s"].max()
    assert f"{best['pinned'].iloc[-1]:.1f} against {best['pageable'].iloc[-1]:.3g} GB/s" in pin
    assert "it hardly matters" in which
    small = transfers[transfers["nbytes"].eq(1024) & transfers["memory"].eq("pinned")]["seconds"]
    assert f"{1e6 * small.min():.3g} to {1e6 * small.max():.3g} µs from pinned" in least
    assert "pin-memory (PyTorch's" in ordinary


@settings(max_examples=20)
@given(
    st.lists(st.lists(st.floats(0, 0.06), min_size=4, max_size=4), min_size=7, max_size=7),
    st.floats(0.001, 0.03),
)
def test_what_ties_is_never_called_the_fastest(costs, sd):
    """At each size that a sentence says it of, all others are farther off than noise explains."""
    by_size = dict(zip(made_up.SIZES, costs, strict=True))

    def factors(nbytes):
        return {
            name: math.exp(5 * cost)
            for name, cost in zip(made_up.METHODS, by_size[nbytes], strict=True)
        }

    run = made_up.transfers("existing_array", "pinned", factors, sd=sd)
    margin = stats.t.ppf(0.995, made_up.DF) * sd * math.sqrt(2 / made_up.VISITS)
    text = " ".join(first.library(standings.of(run, "existing_array")))
    for where, name in re.findall(r"(?:from|at) (\w+ \w+(?: to \w+ \w+)?) (\S+) is the f", text):
        ends = where.split(" to ")
        names = list(map(size, made_up.SIZES))
        for nbytes in made_up.SIZES[names.index(ends[0]) : names.index(ends[-1]) + 1]:
            logs = dict(zip(made_up.METHODS, (5 * cost for cost in by_size[nbytes]), strict=True))
            mine = logs.pop(name)
            assert all(log - mine > margin * 0.999 for log in logs.values())
    told = [len(one.best) == 1 for one in standings.of(run, "existing_array")]
    assert any(told) or "fastest" not in text
