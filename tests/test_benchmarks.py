"""The benchmark runner: what it shows, what it keeps, what it does when something is missing."""

import inspect
import json
import types

import numpy as np
import pytest

from benchmarks import __main__ as runner
from benchmarks import gpu, learning, rates, sums
from benchmarks.table import Report
from kernel_demo.learning.choices import TRIED, default_rate, quickest_sgd


def test_a_report_is_a_markdown_table():
    """Columns line up, those with nothing in them are left out, and a bar does not end a cell."""
    report = Report("Sums")
    report.row("max |w - w*|", asked="<= 1e-5", got="3e-7", met=True)
    report.row("seconds", got="12")
    report.note("Two cores.")
    assert report.markdown() == (
        "## Sums\n\n"
        "| what           | asked   | got  | met |\n"
        "| -------------- | ------- | ---- | --- |\n"
        "| max \\|w - w*\\| | <= 1e-5 | 3e-7 | yes |\n"
        "| seconds        |         | 12   |     |\n\n"
        "Two cores."
    )


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """Runs given benchmarks, in place of those of the folder; returns exit status and record."""

    def run(*names, **modules):
        def find(name):
            module = modules[name.removeprefix("benchmarks.")]
            if isinstance(module, Exception):
                raise module
            return module

        monkeypatch.setattr(runner, "available", lambda: sorted(modules))
        monkeypatch.setattr(runner.importlib, "import_module", find)
        status = runner.main([*names, "--results", str(tmp_path)])
        (path,) = tmp_path.glob("*.json")
        record = json.loads(path.read_text())
        path.unlink()
        return status, record

    return run


def test_figures_are_shown_and_kept(bench, capsys):
    """The table names the machine first; the file holds the same rows."""

    def run(report):
        report.row("error", asked="<= 1", got="2", beside="Adam 3", met=False)

    status, record = bench(first=types.SimpleNamespace(TITLE="First things", run=run))
    shown = capsys.readouterr().out
    assert status == 0
    assert shown.index("| processor") < shown.index("## First things") < shown.index("| NO")
    assert record["machine"]["torch"]
    assert record["benchmarks"][0]["rows"] == [
        {"what": "error", "asked": "<= 1", "got": "2", "beside": "Adam 3", "met": False}
    ]


def test_a_missing_library_skips_one_benchmark_with_a_line(bench, capsys):
    """Named in NEEDS or imported at the top: the runner says what is missing and goes on."""
    status, record = bench(
        named=types.SimpleNamespace(NEEDS=("no_such_library",), run=lambda report: 1 / 0),
        top=ModuleNotFoundError("No module named 'absent'", name="absent.part"),
        works=types.SimpleNamespace(run=lambda report: report.row("a", got="1")),
    )
    shown = capsys.readouterr().out
    assert status == 0
    assert "Skipped: needs no_such_library." in shown
    assert "Skipped: needs absent.part." in shown
    assert record["benchmarks"][2]["rows"]


def test_a_long_benchmark_runs_by_name_only(bench, capsys):
    """Without names it is skipped with a line, by name it runs; it is listed either way."""
    modules = {
        "long": types.SimpleNamespace(LONG=True, run=lambda report: report.row("a", got="1")),
        "short": types.SimpleNamespace(run=lambda report: report.row("b", got="2")),
    }
    status, record = bench(**modules)
    assert status == 0
    assert "Skipped: takes long, and runs by name only." in capsys.readouterr().out
    assert [bool(result.get("rows")) for result in record["benchmarks"]] == [False, True]
    _, record = bench("long", **modules)
    assert [result["name"] for result in record["benchmarks"]] == ["long"]
    assert record["benchmarks"][0]["rows"][0]["got"] == "1"


def test_a_benchmark_that_is_long_is_there():
    """The one that asks whether anything false is certified takes long; its name is no mistake."""
    module, missing = runner.load("proof")
    assert "proof" in runner.available()
    assert (module.LONG, missing) == (True, ())


def test_whatever_is_named_can_be_run():
    """Each takes the report and nothing else: `make bench` does not end in an error of its own."""
    for name in runner.available():
        module, missing = runner.load(name)
        if not missing and hasattr(module, "run"):
            assert [*inspect.signature(module.run).parameters] == ["report"], name


def test_our_own_missing_module_is_no_reason_to_skip(bench):
    """A benchmark that names a module of ours wrongly fails aloud."""
    error = ModuleNotFoundError("gone", name="kernel_demo.gone")
    with pytest.raises(ModuleNotFoundError):
        bench(broken=error)


def test_a_failing_benchmark_keeps_its_rows_and_shows_in_the_status(bench, capsys):
    """What was measured before the failure stays, the others run, and the exit status is 1."""

    def fails(report):
        report.row("before", got="1")
        raise RuntimeError("no more memory")

    status, record = bench(
        a=types.SimpleNamespace(run=fails),
        b=types.SimpleNamespace(run=lambda report: report.note("b ran")),
    )
    assert status == 1
    assert record["benchmarks"][0]["rows"][0]["what"] == "before"
    assert record["benchmarks"][0]["error"] == "RuntimeError: no more memory"
    assert "b ran" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    """A typing error ends in a line that lists the benchmarks, before anything runs."""
    with pytest.raises(SystemExit):
        runner.main(["no_such_benchmark"])
    assert "no benchmark no_such_benchmark; there are" in capsys.readouterr().err


@pytest.fixture
def rehearse(monkeypatch, tmp_path):
    """Runs benchmarks.gpu on the CPU with given stages; returns exit status and record."""

    def run(*stages, budget=60):
        monkeypatch.setattr(gpu, "stages", lambda device: stages)
        options = ["--device", "cpu", "--budget", str(budget), "--results", str(tmp_path)]
        status = gpu.main(options)
        (path,) = tmp_path.glob("gpu-*.json")
        return status, json.loads(path.read_text())

    return run


def stage(name, code, seconds=30.0):
    return gpu.Stage(name, ("-c", code), seconds)


FIGURE = """print('{"what": "sums", "device": "1 ms", "cpu": "2 ms"}', flush=True)"""
TESTS = """print('tests/a.py::test_b[few out] PASSED [ 50%]', flush=True)
print('tests/a.py::test_c FAILED [100%]')
raise SystemExit(1)"""


def test_the_gpu_s_figures_and_tests_are_shown_and_kept(rehearse, capsys):
    """Figures stand beside the CPU's; failed tests are named, and show in the exit status."""
    status, record = rehearse(stage("figures", FIGURE), stage("tests", TESTS))
    shown = capsys.readouterr().out
    assert status == 1
    assert "| sums | 1 ms" in shown
    assert "- tests/a.py::test_c" in shown
    figures, tests = record["stages"]
    assert figures["figures"] == [{"what": "sums", "device": "1 ms", "cpu": "2 ms"}]
    assert (figures["ended"], tests["ended"]) == ("done", "failed with status 1")
    assert tests["tests"] == {"passed": 1, "failed": 1}
    assert tests["failures"] == ["tests/a.py::test_c"]
    assert {"torch", "CUDA", "GPU"} <= set(record["machine"])


def test_a_stage_that_takes_too_long_keeps_what_it_told(rehearse):
    """It is cut short at its own limit, and a stage for which no time is left is not begun."""
    slow = stage("slow", FIGURE + "; import time; time.sleep(60)", seconds=1.0)
    status, record = rehearse(slow, stage("late", FIGURE), budget=gpu.LEAST + 0.5)
    first, second = record["stages"]
    assert status == 1
    assert first["ended"].startswith("cut short")
    assert first["figures"]
    assert second["ended"].startswith("skipped")


def test_without_cuda_one_sentence(monkeypatch, capsys):
    """Where there is no CUDA, nothing is measured under its name."""
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) != 0
    assert capsys.readouterr().err == "There is no CUDA device here; --device cpu rehearses.\n"


@pytest.fixture
def one_thread():
    """Threads that wait for each other on busy cores take a hundred times as long."""
    threads = gpu.torch.get_num_threads()
    gpu.torch.set_num_threads(1)
    yield
    gpu.torch.set_num_threads(threads)


def test_every_figure_of_the_gpu_can_be_taken(monkeypatch, one_thread):
    """On the CPU and on tiny pictures: each row has the device's figure and the CPU's."""
    monkeypatch.setattr(sums, "SIDE", 64)
    monkeypatch.setattr(sums, "LARGE", (64, 80))
    photos = learning.load_photos()[:1]
    monkeypatch.setattr(learning, "load_photos", lambda: [photos[0][:90, :90]])
    for name, value in (("COPIED", 2**10), ("ADAM_STEPS", 1), ("STEPS", 1), ("ROUNDS", 1)):
        monkeypatch.setattr(gpu, name, value)
    for name, value in (("SIZES", (3, 15)), ("METHOD_SECONDS", 0.0), ("JPEGS", 1)):
        monkeypatch.setattr(gpu, name, value)
    told = {key: list(figures("cpu")) for key, figures in gpu.FIGURES.items()}
    sizes = len(gpu.SIZES)
    rows = {"sums": 2 + 2 * sizes + 2 * 3 + 1, "decoding": 2, "learning": 9, "methods": 3 * sizes}
    assert {key: len(figures) for key, figures in told.items()} == rows
    figures = [figure for some in told.values() for figure in some]
    assert all(figure.device for figure in figures)
    assert not any("NOT" in figure.device for figure in figures)
    alone = ("a copy", "both pictures", "the pass", "the plain loop as")  # have no twin on the CPU
    assert all(figure.cpu for figure in figures if not figure.what.startswith(alone))


SEARCHED = [pytest.param(one, id=f"{one['method']} {one['size']}")
            for one in json.loads(rates.TABLE.read_text(encoding="utf-8"))]  # fmt: skip


@pytest.mark.parametrize("found", SEARCHED)
def test_the_rates_are_those_that_were_found(found):
    """Adam's is the best for Sobel x where the size has it, else nobody is more than a twentieth
    off its best beyond what the best compromise leaves; SGD's of the race is within a fifth."""
    size, tried = found["size"], found["rates"]
    assert len(tried) == TRIED[found["method"]]
    errors = {name: np.array(one) for name, one in found["errors"].items()}
    ratios = np.max([one / one.min() for one in errors.values()], axis=0)
    if found["method"] == "sgd":
        at = tried.index(round(quickest_sgd(size, 0.2) * size**2, 9))
        assert np.median([one[at] / one.min() for one in errors.values()]) < 1.2
    elif "Sobel x" in errors:
        assert default_rate("adam", size) == tried[errors["Sobel x"].argmin()]
        assert ratios[tried.index(default_rate("adam", size))] < 1.3
    else:
        assert ratios[tried.index(default_rate("adam", size))] < ratios.min() + 0.05
