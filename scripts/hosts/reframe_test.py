"""For ReFrame: the check of a host, on each node of a partition.

reframe -C SITE.py -c scripts/hosts/reframe_test.py -r --distribute=all --performance-report

A test fails on a node where something is slow, or where nothing can be said, with the check's
reason. Each node's lines are in host.jsonl, of its output or, if it failed, of its stage. ReFrame
may have a Python of its own: this file needs nothing but ReFrame.
"""

import json
from pathlib import Path
from typing import Any

import reframe
import reframe.utility.sanity as sn
from reframe.core.builtins import run_before, sanity_function

COMMAND = Path(__file__).resolve().parents[1] / "hosts.py"
LINES = "host.jsonl"


@reframe.simple_test
class HostCheck(reframe.RunOnlyRegressionTest):  # type: ignore[misc]
    """Every GPU of a node, alone and all at once, to the device and back."""

    descr = "Transfers between host and every GPU of a node"
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    sourcesdir = None
    executable = "python3"
    executable_opts = [str(COMMAND), "check", "--json", LINES]
    keep_files = [LINES]
    num_tasks = 1
    exclusive_access = True
    time_limit = "10m"

    def lines(self) -> list[dict[str, Any]]:
        """What the check has written, a line a GPU; [] if it did not come so far."""
        path = Path(self.stagedir, LINES)
        return list(map(json.loads, path.read_text().splitlines())) if path.is_file() else []

    @sanity_function
    def all_as_expected(self) -> Any:
        lines = self.lines()
        reasons = [
            f"{line['host']}: {line['pci'] or ''} {line['verdict']}: {line['reason']}"
            for line in lines
            if line["verdict"] != "as expected"
        ]
        told = "; ".join(reasons) if lines else "the check has written nothing"
        return sn.assert_true(lines and not reasons, told)

    @run_before("performance")
    def rates(self) -> None:
        """A performance variable for each GPU and kind of transfer, GB/s."""
        self.perf_variables = {
            f"GPU {index}, {kind}": sn.make_performance_function(
                sn.defer(found["gb_per_s"]), "GB/s"
            )
            for index, line in enumerate(self.lines())
            for kind, found in line["measured"].items()
        }
