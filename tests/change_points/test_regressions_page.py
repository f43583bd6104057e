"""asv's regressions page and the report's steps, of results made of stated truths: one detector."""

import json
from xml.etree import ElementTree

from scripts.asv_plugin import publishing
from scripts.change_points import history, in_words
from scripts.words.vocabulary import ALL, TRANSFERS
from tests import stated

ATOM = "{http://www.w3.org/2005/Atom}"


def test_asvs_regressions_are_the_steps_of_the_report(project):
    """A library's step in pinned memory, a host's in pageable, and noise."""

    def factor(number, point):
        slow = number >= 3
        if point[2] == "pageable":
            return 1.5 if slow else 1.0
        return 1.2 if slow and point[1] == "torch" else 1.0

    commits = []
    for number in range(6):
        project.git("commit", "-q", "--allow-empty", "-m", str(number))
        commits.append(project.git("rev-parse", "HEAD"))

        def times(point, number=number):
            return factor(number, point)

        stated.result(project.path / "results", times, commits[-1], number, drift=0.01)
    project.git("add", "-A")
    project.git("commit", "-qm", "results")
    done = project.asv("publish")
    assert done.returncode == 0, done.stdout
    html = project.path / ".asv" / "html"
    found = json.loads((html / "regressions.json").read_text())["regressions"]
    assert {name.partition("(")[0] for name, *_ in found} == {
        does.benchmark for does in TRANSFERS.values()
    }
    hashes = json.loads((html / "index.json").read_text())["revision_to_hash"]
    assert {hashes[str(jump[1])] for *_, jumps in found for jump in jumps} == {commits[3]}
    points = [name for name, *_ in found]
    assert sum("'pinned'" in name for name in points) == 2 * 7
    assert all("'torch', 'pinned'" in name for name in points if "'pinned'" in name)
    assert sum("'pageable'" in name for name in points) == 4 * 2 * 7
    feed = ElementTree.parse(html / "regressions.xml").getroot()
    links = [entry.find(f"{ATOM}link").get("href") for entry in feed.iter(f"{ATOM}entry")]
    assert len(links) == sum(len(jumps) for *_, jumps in found)
    assert all(f"commits={commits[3]}" in link for link in links)
    report = (html / "report.html").read_text()
    assert "torch, pinned: " in report
    assert "all methods, pageable: " in report


def test_what_all_methods_do_is_a_regression_of_each(tmp_path):
    for number in range(6):
        slow = 1.5 if number >= 3 else 1.0
        commit = stated.COMMITS[number]
        stated.result(tmp_path, lambda point, slow=slow: slow, commit, number, drift=0.01)
    changes, said = history.of_machine(tmp_path, stated.MACHINE)
    assert {change.method for change in changes} == {ALL}
    listed = json.loads((tmp_path / "benchmarks.json").read_text())
    benchmark = listed[TRANSFERS["new_array"].benchmark]
    told = in_words.as_json(changes, said)["changes"]
    number = len(benchmark["params"][2]) * len(benchmark["params"][3])
    float32 = benchmark["params"][2].index("'float32'") * len(benchmark["params"][3])
    for method in range(4):
        slower = publishing.slower_at(told, benchmark, 2 * method * number + float32)
        assert slower == {stated.COMMITS[3]}
    assert publishing.slower_at(told, benchmark, 0) == set()  # a dtype that was not measured
