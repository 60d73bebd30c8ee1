"""The benchmark runner: what it shows, what it keeps, what it does when something is missing."""

import json
import types

import pytest

from benchmarks import __main__ as runner
from benchmarks.table import Report


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

    def run(**modules):
        def find(name):
            module = modules[name.removeprefix("benchmarks.")]
            if isinstance(module, Exception):
                raise module
            return module

        monkeypatch.setattr(runner, "available", lambda: sorted(modules))
        monkeypatch.setattr(runner.importlib, "import_module", find)
        status = runner.main(["--results", str(tmp_path)])
        (path,) = tmp_path.glob("*.json")
        return status, json.loads(path.read_text())

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
