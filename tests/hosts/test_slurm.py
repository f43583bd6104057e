"""Real Slurm: a controller and three nodes on this machine; ReFrame sends the check to each."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from scripts.hosts import ranking, schema
from tests.hosts.test_check import without_gpu
from tests.hosts.test_reframe import reframe

NODES = ["node1", "node2", "node3"]
PROGRAMS = "munged", "slurmctld", "slurmd", "sinfo"
PATH = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has them

pytestmark = [
    pytest.mark.slow,
    without_gpu,
    pytest.mark.skipif(os.geteuid() != 0, reason="Slurm's daemons begin as root"),
    pytest.mark.skipif(
        not all(shutil.which(name, path=PATH) for name in PROGRAMS),
        reason="no slurm-wlm, munge here",
    ),
]

SITE = """
site_configuration = {
    "systems": [
        {
            "name": "cluster",
            "hostnames": [".*"],
            "partitions": [
                {
                    "name": "nodes",
                    "scheduler": "squeue",
                    "launcher": "srun",
                    "access": ["--partition=nodes"],
                    "environs": ["builtin"],
                }
            ],
        }
    ],
    "environments": [{"name": "builtin"}],
}
"""


def free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def configuration(folder):
    us = socket.gethostname()
    controller, *ports = free_ports(1 + len(NODES))
    settings = {
        "ClusterName": "test",
        "SlurmctldHost": f"{us}(127.0.0.1)",
        "SlurmUser": "root",
        "AuthInfo": f"socket={folder}/munge.socket",
        "CredType": "cred/munge",
        "SlurmctldPort": controller,
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": f"{folder}/slurmd-%n.pid",
        "SlurmdSpoolDir": f"{folder}/spool-%n",
        "StateSaveLocation": folder / "state",
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "SelectType": "select/linear",
        "MailProg": "/bin/true",
        "ReturnToService": 2,
        "MpiDefault": "none",
    }
    nodes = [
        f"NodeName={node} NodeHostname={us} NodeAddr=127.0.0.1 Port={port} CPUs=1"
        for node, port in zip(NODES, ports, strict=True)
    ]
    lines = [f"{name}={value}" for name, value in settings.items()]
    (folder / "state").mkdir()
    (folder / "slurm.conf").write_text(
        "\n".join([*lines, *nodes, f"PartitionName=nodes Nodes={','.join(NODES)} State=UP", ""])
    )


@pytest.fixture
def slurm(tmp_path_factory):
    """The variables with which Slurm's commands find it."""
    folder = tmp_path_factory.mktemp("slurm")
    configuration(folder)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(64))
    key.chmod(0o400)
    names = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log"}
    names |= {"seed-file": "munge.seed", "key-file": "munge.key"}
    munged = [
        "munged",
        "--foreground",
        "--force",
        *(f"--{k}={folder / v}" for k, v in names.items()),
    ]
    variables = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": PATH}
    environment = {**os.environ, **variables}
    with contextlib.ExitStack() as stack:

        def daemon(*command):
            log = stack.enter_context(Path(folder, f"{'-'.join(command[:1])}.out").open("ab"))
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)

        daemon(*munged)
        daemon("slurmctld", "-D")
        for node in NODES:
            (folder / f"spool-{node}").mkdir()
            daemon("slurmd", "-D", "-N", node)
        deadline = time.monotonic() + 60
        idle = ["sinfo", "--noheader", "--Node", "--format=%T"]
        while True:
            done = subprocess.run(idle, env=environment, capture_output=True, text=True)
            if done.stdout.split() == ["idle"] * len(NODES):
                break
            logs = [path.read_text()[-1000:] for path in folder.glob("*.out")]
            assert time.monotonic() < deadline, (done.stdout, done.stderr, *logs)
            time.sleep(0.5)
        yield variables


def test_each_node_answers_and_the_lines_are_ranked(slurm, tmp_path):
    site = tmp_path / "site.py"
    site.write_text(SITE)
    done = reframe(tmp_path, "-C", site, "--distribute=all", **slurm)
    assert done.returncode == 1  # there is no GPU to check
    assert done.stdout.count("no GPU: there is no NVIDIA driver") >= len(NODES), done.stdout
    lines, left_out = schema.read((tmp_path / "stage").rglob("host.jsonl"))
    assert left_out == []
    assert sorted(line.host for line in lines) == NODES
    found = ranking.rank(lines, [], [*NODES, "node4"])
    assert found.code == ranking.CANNOT_SAY
    assert "1 host did not answer: node4" in found.unsaid
    assert any(line.startswith("No GPU was measured on") for line in found.unsaid)
