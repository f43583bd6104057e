"""Which pins differ, and which of them a method needs: by the requirements as they are."""

import pytest

from scripts.gate import bump
from scripts.setup import pins
from tests.conftest import ROOT


@pytest.mark.parametrize("stack", ["cu12", "cu13"])
def test_what_a_method_needs_is_in_the_comments_beside_the_pins(stack):
    text = (ROOT / "requirements" / f"{stack}.txt").read_text()
    every = {pin.name: ("1", "2") for pin in pins.read(text)}
    needed_by = bump.needs_in(text)
    assert needed_by.keys() == every.keys()
    found = bump.Bump(["a", "b"], stack, every, needed_by)
    needs = {method: found.causes(method) for method in ("torch", "cupy", "pycuda", "cuda-python")}
    cupy = f"cupy-cuda{stack[2:]}x"
    assert [names[0] for names in needs.values()] == ["torch", cupy, "pycuda", "cuda-python"]
    assert all({"numpy", "cuda-python", "cuda-bindings"} <= {*names} for names in needs.values())
    assert {"triton", "markupsafe"} <= {*needs["torch"]}  # markupsafe is needed by jinja2
    assert any(name.startswith("nvidia-cublas") for name in needs["torch"])
    assert not {"torch", "pycuda", "triton"} & {*needs["cupy"]}
    assert "mako" in needs["pycuda"]
    assert set(found.causes("link")) == {*needs["cuda-python"]}
    assert found.causes("copy") == ["numpy"]
    shared = found.causes("torch", needs)
    assert set(shared) == {*needs["torch"]} & {*needs["cupy"]} & {*needs["pycuda"]}
    unused = {*every} - {name for names in needs.values() for name in names}
    assert all("nvidia" in name for name in unused)  # what measures, or is compiled with


def test_a_pin_of_which_nothing_says_who_needs_it_may_be_anybodys():
    found = bump.Bump(
        ["a", "b"], "host", {"x": ("1", None), "torch": (None, "2")}, {"torch": set()}
    )
    assert found.causes("cupy") == ["x"]
    assert found.causes("torch") == ["torch", "x"]
    assert found.said() == "Pins that differ (host.txt): x 1 -> none, torch none -> 2"
