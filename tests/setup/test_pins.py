"""Pinned requirements as pip's users write them, beside what packaging makes of the same lines."""

import contextlib
import subprocess
import sys
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.setup import pins
from tests.conftest import ROOT

SHA = "sha256:" + 64 * "0"
names = st.from_regex(r"[A-Za-z0-9]{1,3}([-_.]{1,3}[A-Z0-9a-z]{1,3}){0,2}", fullmatch=True)
versions = st.from_regex(
    r"(1!)?[0-9]{1,4}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?"
    r"(\+[a-z0-9]{1,5}([.-][a-z0-9]{1,4})?)?",
    fullmatch=True,
)
markers = st.sampled_from(
    [
        "",
        'python_version >= "3.12"',
        "python_full_version < '3.12.1' and platform_machine == 'x86_64'",
        "sys_platform == 'nothing' or python_version != '3.11'",
    ]
)
gaps = st.sampled_from(["", " ", "  "])
behind = st.lists(
    st.sampled_from([f" --hash={SHA}", f" \\\n    --hash={SHA}", f" \\\r\n\t--hash={SHA}"])
).map("".join)
comments = st.sampled_from(
    ["", "  # via torch", " # a==1", "\n# b==2 \\", "\n    # via\n    #   c"]
)
others = st.sampled_from(
    ["", "# d==3\n", "--index-url https://e.invalid/?f==4\n", "g>=5\n", "-r h.txt\n", "\r\n"]
)


@st.composite
def requirements(draw):
    """A requirement that pins, and a file that has it among other lines."""
    extras = draw(st.sampled_from(["", "[all]", "[a,b-c]"]))
    gap, marker = draw(gaps), draw(markers)
    line = f"{draw(names)}{extras}{gap}=={gap}{draw(versions)}"
    line += f"{draw(gaps)}; {marker}" if marker else ""
    return line, draw(others) + line + draw(behind) + draw(comments) + "\n" + draw(others)


@given(requirements())
def test_a_pin_is_what_packaging_reads_in_it(given_):
    line, text = given_
    wanted = Requirement(line)
    (pin,) = pins.read(text)
    (specifier,) = wanted.specifier
    assert (pin.name, pin.version) == (canonicalize_name(wanted.name), specifier.version)
    assert pins.hold(pin) == (not wanted.marker or wanted.marker.evaluate())
    of_another = {"python_full_version": "3.12.0", "python_version": "3.12"}
    holds_there = not wanted.marker or wanted.marker.evaluate(of_another)
    assert pins.hold(pin, "3.12.0") == holds_there
    assert "\n" not in pin.line
    assert pin.line.count("--hash=") == text.count("--hash=")  # pip shall look at them


@given(st.text(alphabet="ab1=.;#\\\n -[]@'+!"))
def test_no_text_is_more_than_broken(text):
    with contextlib.suppress(ValueError):
        assert all(pin.name and pin.version for pin in pins.read(text))


@pytest.mark.parametrize(
    ("pinned", "installed", "same"),
    [
        ("2.10.0+cu126", "2.10.0+cu126", True),
        ("2.10.0", "2.10.0+cu126", True),
        ("2.10.0+cu126", "2.10.0+cu128", False),
        ("2.10.0+cu126", "2.10.0", False),
        ("2.10", "2.10.0", True),
        ("2.10.0rc1", "2.10.0rc1", True),
        ("2.10.0RC-1", "2.10.0rc1", True),
        ("2.10.*", "2.10.7", True),
        ("2.10.*", "2.10.7rc1", True),
        ("2.10.0", "2.1.0", False),
        ("2.10.0", "something else", False),
        ("as-it-is", "as-it-is", True),
    ],
)
def test_a_version_is_the_pinned_one(pinned, installed, same):
    assert pins.same(pinned, installed) is same


def test_what_a_python_lacks_of_a_file_is_told(tmp_path):
    file = tmp_path / "some.txt"
    here = version("asv")
    there = f"ASV=={here} \\\n    --hash={SHA}\nno-such==1 ; python_version < '3'\n"
    for text, lacking in (there, ""), (there + "asv==0.0.1\nno.such==1  # x\n", "asv no-such"):
        file.write_text(text)
        command = [sys.executable, "-I", "scripts/setup/pins.py", file]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert [word.partition("==")[0] for word in done.stderr.split()] == lacking.split()
        assert done.returncode == bool(lacking)
