"""The verdict on the link, of the recorded H100 and as if it, or others, had another one."""

import json

import pytest

from scripts.answers import link
from scripts.reading import points
from scripts.recording import provenance

MACHINE = "nvidia-h100-80gb-hbm3"


@pytest.fixture(scope="module")
def recorded():
    """The rows of the recorded H100, and its runs."""
    run, _ = points.load(machines={MACHINE})
    return run, provenance.beside(points.RESULTS, [], *run[points.RUN].iloc[-1])


def as_of(run, machine="another", factor=1.0, **facts):
    """`run` as if of another machine whose link reaches `factor` times as much."""
    other = run.astype(dict.fromkeys(["machine", "gpu", "pcie_link"], object))
    other = other.assign(machine=machine, **facts)
    return other.assign(gb_per_s=other["gb_per_s"] * factor)


def said(run, *others, runs=()):
    table = points.pandas.concat([run, *others]).reset_index(drop=True)
    return link.of(run, table, runs)


def altered(runs, **facts):
    changed = json.loads(json.dumps(runs))
    changed[0]["facts"] |= {name.replace("_", " "): value for name, value in facts.items()}
    return changed


def test_as_it_should_be(recorded):
    run, runs = recorded
    alone = "The link is as it should be: 55.1 of the 63.0 GB/s that Gen5 x16 can carry, 87 %"
    assert str(said(run, runs=runs)) == f"{alone}."
    other = as_of(run, factor=0.99, gpu="NVIDIA H200")
    assert str(said(run, other)) == f"{alone}; other Gen5 x16 machines here: 54.5."
    narrow = as_of(run, factor=0.5, pcie_link="PCIe Gen5 x8")
    assert str(said(run, narrow)) == f"{alone}."


@pytest.mark.parametrize(
    ("factor", "others", "facts", "why"),
    [
        (0.5, [], {"link_width": 8}, "it ran as Gen5 x8 under load, and can do Gen5 x16"),
        (1.0, [], {"link_generation": 4}, "it ran as Gen4 x16 under load, and can do Gen5 x16"),
        (0.7, [], {}, "links reach 75 % and more of that"),
        (0.89, [1.0, 0.99], {}, "other machines reach more"),
    ],
)
def test_slower_than_it_should_be(recorded, factor, others, facts, why):
    run, runs = recorded
    ours = as_of(run, "ours", factor)
    others = [as_of(run, f"other {one}", one) for one in others]
    found = said(ours, *others, runs=altered(runs, **facts))
    assert found.answer == link.SLOW
    assert why in str(found)
    if others:
        assert str(found).endswith("other Gen5 x16 machines here: 54.5 to 55.1.")
    narrow = as_of(run, factor=0.5, pcie_link="PCIe Gen5 x8")
    assert "other machines with this GPU have Gen5 x16" in str(said(narrow, run))
    back = run.assign(gb_per_s=run["gb_per_s"].where(run["operation"].ne("link_back"), 20.0))
    assert "on the way back, reach 75 %" in str(said(back, runs=runs))


def test_what_nobody_can_say(recorded):
    run, _ = recorded
    unknown = as_of(run, "ours", pcie_link=None)
    assert said(unknown).answer == link.CANNOT_SAY
    assert said(unknown, run).answer == link.FINE  # one of the same GPU
    assert "another one" in str(said(as_of(run, factor=6.0)))
    mig = as_of(run, factor=0.5, gpu="NVIDIA H100 80GB HBM3 MIG 1g.10gb")
    assert said(mig, run).answer == link.CANNOT_SAY
    assert said(run[run["operation"].ne("link")]) is None
