"""The versions of what is measured, as the measured Python itself says them."""

from collections.abc import Mapping
from typing import Any

# Printed: {"python": version, "packages": {name: version or null} of NumPy and of what brings the
# methods, "methods": {method: version or null}, "cuda runtime": version}. Which packages bring a
# method, its file in benchmarks/methods/ says; sys.argv[1] is the checkout.
INSTALLED = """
import json, platform, sys
from importlib import metadata
sys.path.insert(0, sys.argv[1])
from benchmarks import methods
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
told = {"python": platform.python_version(), "packages": {"numpy": version("numpy")}, "methods": {}}
for method in methods.REGISTRY:
    there = {name: version(name) for name in methods.module(method).DISTRIBUTIONS}
    told["packages"].update(there)
    told["methods"][method] = next(filter(None, there.values()), None)
try:
    from cuda.bindings import runtime
    error, number = runtime.cudaRuntimeGetVersion()
    told["cuda runtime"] = f"{number // 1000}.{number % 1000 // 10}"
except Exception:
    pass
print(json.dumps(told))
"""


def versions(told: Mapping[str, Any]) -> dict[str, str | None]:
    """{name: version} of what counts, of what INSTALLED told; None is not there."""
    found = {"python": told["python"], "numpy": told["packages"].get("numpy"), **told["methods"]}
    return {**found, "cuda runtime": told.get("cuda runtime")}
