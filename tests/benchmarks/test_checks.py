"""The bytes: random, others for each check, and a wrong one is found wherever it is."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import checks


def test_a_wrong_byte_is_an_error_and_the_next_bytes_are_others():
    host = numpy.empty(1024, "complex64")
    checks.fill(host)
    sent = numpy.frombuffer(host.tobytes(), "uint8")
    checks.verify(host, [sent])
    for _ in range(20):
        checks.change(host)
        with pytest.raises(ValueError, match=f"arrived: {host.nbytes} of {host.nbytes}"):
            checks.verify(host, [sent])


@given(st.integers(0, 1023), st.integers(1, 255), st.sampled_from([8, 256, 1024]))
def test_any_wrong_byte_is_found(where, change, part):
    host = numpy.empty(1024, "uint8")
    checks.fill(host)
    arrived = host.copy()
    arrived[where] ^= change
    parts = [arrived[start : start + part] for start in range(0, 1024, part)]
    with pytest.raises(ValueError, match="wrong bytes arrived: 1 of 1024"):
        checks.verify(host, parts)


def test_bytes_that_are_missing_are_wrong():
    host = numpy.zeros(1024, "uint8")
    with pytest.raises(ValueError, match="wrong bytes arrived: 8 of 1024"):
        checks.verify(host, [host[:1016]])


def test_sources_are_fresh_random_bytes():
    hosts = [numpy.empty(1 << 16, "uint8") for _ in range(2)]
    for host in hosts:
        checks.fill(host)
    counts = numpy.bincount(numpy.concatenate(hosts), minlength=256)
    assert counts.min() > 300  # 512 expected of each value
    assert numpy.count_nonzero(hosts[0] == hosts[1]) < 1000  # 256 expected


def test_no_block_of_a_large_source_is_another_one():
    host = numpy.empty(3 * checks.BLOCK + 8, "uint8")
    checks.fill(host)
    first, second, third, rest = checks.blocks(host)
    for one, other in (first, second), (first, third), (second, third), (first[:8], rest):
        assert not numpy.any(one == other)
