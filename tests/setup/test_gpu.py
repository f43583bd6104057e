"""Which GPU there is, with drivers and NVMLs of every mood, built here; they do nothing."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, fake_driver, has_gpu

pytestmark = pytest.mark.skipif(has_gpu(), reason="here the real driver would answer")
FOUND = """
import json, sys
sys.path.insert(0, ".")
from scripts.setup import gpu
try:
    found = gpu.find()
    named = found and [found.name, found.count, bool(found.handle), gpu.slug(found.name)]
    print(json.dumps([named, gpu.lasting(found)]))
except gpu.NotKnown as error:
    print(json.dumps(str(error)))
"""
NVML = """
#include <string.h>
static int begun = 1; /* not yet: NVML_ERROR_UNINITIALIZED */
int nvmlInitWithFlags(unsigned flags) { return INIT ? INIT : (begun = 0); }
int nvmlDeviceGetCount_v2(unsigned *count) { return *count = 2, begun; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) { return *device = device, begun; }
int nvmlDeviceGetName(void *device, char *name, unsigned size) {
    return strncpy(name, "Named by NVML", size), begun ? begun : NAME;
}
"""
NO_DRIVER = """
int cuInit(unsigned flags) { return INIT; }
int cuDeviceGetCount(int *count) { return *count = 0, 0; }
int cuGetErrorString(int error, const char **text) { return *text = "it is broken", 0; }
"""


def library(folder, name, source, **defined):
    words = [f"-D{key}={value}" for key, value in defined.items()]
    command = ["gcc", "-shared", "-fPIC", *words, "-o", folder / name, "-x", "c", "-"]
    subprocess.run(command, input=source.encode(), check=True)
    return {"LD_LIBRARY_PATH": str(folder)}


def nvml(folder, init=0, name=0):
    """An NVML that answers with the errors `init` and `name`, or knows two GPUs."""
    return library(folder, "libnvidia-ml.so.1", NVML, INIT=init, NAME=name)


def found(**variables):
    given = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", FOUND], cwd=ROOT, env=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("answers", "name", "count", "known"),
    [
        (None, "Test GPU", 1, False),  # a container without the utility capability, Jetson
        ({"init": 999}, "Test GPU", 1, False),
        ({"name": 999}, "Test GPU", 2, True),
        ({"name": 3}, "Test GPU", 2, True),  # not supported, as some virtual GPUs answer
        ({}, "Named by NVML", 2, True),
    ],
)
def test_the_driver_says_that_there_is_one_and_nvml_only_adds(
    tmp_path, answers, name, count, known
):
    variables = fake_driver(tmp_path, 13000)
    if answers is not None:
        nvml(tmp_path, **answers)
    slug = name.lower().replace(" ", "-")
    lasting = {"gpu": name, "num_gpu": str(count)}
    assert found(**variables) == [[name, count, known, slug], lasting]
    # A short UUID, and an index, are the driver's to understand.
    for visible in "GPU-07", "0":
        assert found(CUDA_VISIBLE_DEVICES=visible, **variables)[0][0] == name


@pytest.mark.parametrize(
    ("init", "visible", "said"),
    [
        (0, "", None),
        (100, "-1", None),
        (34, "", None),
        (100, "GPU-ff", "Which GPU is CUDA_VISIBLE_DEVICES=GPU-ff? CUDA finds none"),
        (0, "7", "Which GPU is CUDA_VISIBLE_DEVICES=7? CUDA finds none"),
        (999, "", "CUDA's driver fails: it is broken (error 999)"),
    ],
)
def test_a_driver_that_finds_none(tmp_path, init, visible, said):
    variables = library(tmp_path, "libcuda.so.1", NO_DRIVER, INIT=init)
    alone = found(CUDA_VISIBLE_DEVICES=visible, **variables)
    assert alone == (said if init == 999 else [None, {}])
    nvml(tmp_path)
    assert found(CUDA_VISIBLE_DEVICES=visible, **variables) == (said or [None, {}])


def test_where_nvml_gives_no_name_asv_records_and_publishes(project, tmp_path):
    variables = fake_driver(tmp_path, 13000) | nvml(tmp_path, name=999)
    done = project.run("--bench", "Harness.*none", CUDA_VISIBLE_DEVICES="GPU-07", **variables)
    assert done.returncode == 0, done.stdout
    assert project.results().parent.name == "test-gpu"
    done = project.asv("publish", **variables)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
