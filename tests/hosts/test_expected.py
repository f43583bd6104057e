"""What a check makes of its numbers: against siblings, recorded machines, the link; and causes."""

import msgspec
import numpy
import pytest

from scripts.hosts import causes, expected, schema
from scripts.hosts.kinds import ALONE, AT_ONCE, TRANSFERS
from scripts.hosts.schema import Measured
from scripts.reading.links import Link
from scripts.words.formats import rate
from tests.conftest import ROOT
from tests.hosts import made_up

RECORDED = "NVIDIA H100 80GB HBM3"  # results/ has it
TO_DEVICE = "to device, pinned, 64 MiB, alone"


def lines(gpus=2, name=made_up.NAME):
    """The lines of a host whose GPUs are alike."""
    made = made_up.lines(numpy.tile(made_up.values(numpy.random.default_rng(1), 1, 1), (gpus, 1)))
    for line in made:
        line.gpu, line.link, line.link_max = name, None, None
    return made


def slowed(line, factor, kind=TO_DEVICE, rounds=25):
    """`rounds` of 25 of this kind at this share of the rate."""
    rate = line.measured[kind].gb_per_s
    taken = [rate * factor] * rounds + [rate] * (25 - rounds)
    line.measured[kind] = Measured(float(numpy.median(taken)), taken)


def verdicts(made):
    return [(line.verdict, line.reason) for line in expected.judged(made)]


def test_alike_are_as_expected():
    made = lines()
    assert verdicts(made) == [("as expected", "as 1 sibling")] * 2
    assert expected.code(made) == 0


@pytest.mark.parametrize(
    ("factor", "rounds", "slow"), [(0.88, 25, True), (0.92, 25, False), (0.5, 15, False)]
)
def test_slower_than_its_siblings_in_most_rounds(factor, rounds, slow):
    made = lines(4)
    for line in made:
        slowed(line, 1)
    slowed(made[2], factor, rounds=rounds)
    found = verdicts(made)
    assert [verdict == "slow" for verdict, _ in found] == [False, False, slow, False]
    assert expected.code(made) == int(slow)
    if slow:
        assert found[2][1] == f"{TO_DEVICE}: -12 % against its siblings: no cause recorded"
        assert expected.reason(made).startswith("slow: 0000:02:00.0: to device")


def test_all_of_a_host_slower_than_the_recorded_machines():
    made = lines(name=RECORDED)
    assert verdicts(made)[0][1] == "as 1 sibling and recorded machines of its name"
    for line in made:
        slowed(line, 0.7)
    verdict, reason = verdicts(made)[0]
    assert verdict == "slow"
    assert f"against recorded machines ({rate(expected.recorded_rate(RECORDED))} GB/s)" in reason


def test_alone_and_not_recorded_the_link_is_what_it_is_held_against():
    (line,) = lines(1)
    line.link = line.link_max = Link(5, 16)
    assert verdicts([line]) == [("as expected", "as what Gen5 x16 can do")]
    slowed(line, 0.5)
    assert verdicts([line])[0][1].endswith("against Gen5 x16 (63.0 GB/s): no cause recorded")
    line.link = line.link_max = Link(4, 8)
    assert verdicts([line])[0][0] == "as expected"


def test_a_link_below_what_it_can_is_slow_even_if_all_are():
    made = lines()
    for line in made:
        line.link, line.link_max = Link(4, 16), Link(5, 16)
    assert {verdict for verdict, _ in verdicts(made)} == {"slow"}


def test_a_slice_of_a_gpu_is_said_and_no_alarm():
    made = lines(name="NVIDIA H100 80GB HBM3 MIG 1g.10gb")
    made[0].link, made[0].link_max = Link(4, 16), Link(5, 16)
    slowed(made[0], 0.3)
    told = "nothing to hold it against: a MIG slice shares its link"
    assert verdicts(made) == [("cannot say", told)] * 2


def test_mps_is_said_and_no_alarm():
    made = lines()
    made[0].mps = True
    assert verdicts(made)[0] == ("as expected", "as 1 sibling, through MPS")


def test_a_reason_is_a_line_that_a_scheduler_takes():
    assert expected.fit("a\n'b' \"c\" $d `e` \\f é" + 300 * "g") == "ab c d e f " + 189 * "g"


CAUSES = {
    "link x8, can do x16": {"link": Link(5, 8)},
    "link Gen4, can do Gen5": {"link": Link(4, 16)},
    "4 PCIe replays meanwhile": {"replays": (3, 7)},
    "throttled: hardware slowdown": {"throttle_reasons": ["hardware slowdown", "idle"]},
    "1 other process on the GPU": {"other_processes": 1},
    "far NUMA node: cores of 1-2, GPU on 0": {"cores_numa_nodes": "1-2"},
    "CPU quota 2 cores stopped it 1.5 s": {"cpu_stopped_seconds": 1.5, "cpu_quota": "2 cores"},
    "busy cores: 20 rounds": {"busy_rounds": 20},
}


@pytest.mark.parametrize("told", CAUSES)
def test_a_cause(told):
    line = made_up.lines(made_up.values(numpy.random.default_rng(1), 1, 1))[0]
    assert causes.probable(line, Link(5, 16), [TO_DEVICE]) == []
    line = msgspec.structs.replace(line, **CAUSES[told])
    assert causes.probable(line, Link(5, 16), [TO_DEVICE]) == [told]


def test_what_others_have_and_what_is_slow_with_them_only():
    line = made_up.lines(made_up.values(numpy.random.default_rng(1), 1, 1))[0]
    line.link = line.link_max = Link(4, 16)
    assert causes.probable(line, Link(5, 16)) == ["link Gen4, others have Gen5"]
    line.link = line.link_max = Link(5, 16)
    (told,) = causes.probable(line, None, [TO_DEVICE.replace("alone", "at once")])
    assert told == "only with its siblings: a bridge or the host's memory is shared"


def real(name):
    """The lines of a check of one host's two H200."""
    lines, left_out = schema.read([ROOT / "tests" / "recorded" / f"{name}.jsonl"])
    assert (left_out, len(lines)) == ([], 2)
    return lines


def test_two_real_gpus_are_twice_as_expected():
    first, again = real("two-gpus"), real("two-gpus-again")
    for made in first, again:
        assert [line.verdict for line in made] == ["as expected"] * 2  # as it was said there
        assert [verdict for verdict, _ in verdicts(made)] == ["as expected"] * 2
        for line in made:
            assert set(line.measured) == {
                one.kind(w) for one in TRANSFERS for w in (ALONE, AT_ONCE)
            }
    seconds = (again[0].time - first[0].time) / 1000
    alone, at_once = zip(
        *(
            [line.measured[TO_DEVICE.replace(ALONE, when)].gb_per_s for when in (ALONE, AT_ONCE)]
            for line in (*first, *again)
        ),
        strict=True,
    )
    said = (
        f"a check took {seconds:.0f} s, twice with the same verdict: pinned 64 MiB went there at "
        f"{min(alone):.1f} to {max(alone):.1f} GB/s alone, at {min(at_once):.1f} to "
        f"{max(at_once):.1f} GB/s at once"
    )
    assert said in " ".join((ROOT / "docs" / "hosts.md").read_text().split())


def test_of_two_real_gpus_the_one_that_another_process_uses_is_slow():
    """gpu_load.py sent pinned arrays to the second one meanwhile."""
    (fine, _), (slow, reason) = verdicts(real("two-gpus-loaded"))
    assert (fine, slow) == ("as expected", "slow")
    assert "against its siblings: 1 other process on the GPU" in reason
