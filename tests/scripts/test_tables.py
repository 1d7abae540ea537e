"""Numbers in the documents: recorded from runs of committed code, rendered by a script, and never edited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scripts.benchmarks.record import without_places
from scripts.docs.tables import starts, students

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DOCUMENT = """# Title
<!-- table: tiny holdout nmi,acc -->
stale
<!-- end -->
Words between.
<!-- runs: tiny fit acc -->
<!-- end -->
<!-- conditions: tiny -->
<!-- end -->
<!-- ours: dec nmi -->
<!-- end -->
<!-- ours: idec nmi -->
<!-- end -->
"""


def script(name, *arguments):
    command = [sys.executable, "-m", f"scripts.{name}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def finished(tmp_path):
    """Makes a run's folder with what recording reads."""

    def make(name, seed=0, commit=COMMIT, method="kmeans", precision="32-true", nmi=0.5, typed=""):
        folder = tmp_path / "runs" / name
        (folder / "config").mkdir(parents=True)
        choices = f"{{experiment: tiny, method: {method}}}"
        (folder / "config" / "hydra.yaml").write_text(f"hydra: {{runtime: {{choices: {choices}}}}}\n")
        scores = {
            "data": "blobs", "commit": commit, "seed": seed, "stopped": "tol", "steps": 7,
            "command": f"run method={method} seed={seed} trainer.precision={precision} {typed}",
            "versions": {"torch": "2"},
            "seconds": {"pretrain": 60.0, "start": 30.0, "fit": None},
            "machine": {"accelerator": "cpu", "precision": precision, "threads": 1, "processor": "Some CPU",
                        "vector_instructions": "AVX512"},
            "published": {"holdout": {"nmi": 0.4978}} if method == "kmeans" else None,
            "fit": {"n": 2000, "acc": nmi + 0.1, "nmi": nmi}, "holdout": {"n": 10, "acc": nmi + 0.2, "nmi": nmi},
        }  # fmt: skip
        (folder / "scores.json").write_text(json.dumps(scores))
        return folder

    return make


def test_runs_are_recorded_once_and_never_replaced(finished, tmp_path):
    finished("a", 0)
    finished("b", 1)
    done = script("benchmarks.record", tmp_path / "runs", "--results", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "results" / "tiny.jsonl").read_text()
    assert [json.loads(line)["seed"] for line in lines.splitlines()] == [0, 1]
    assert {json.loads(line)["recipe"] for line in lines.splitlines()} == {"kmeans"}
    again = script("benchmarks.record", tmp_path / "runs" / "b", "--results", tmp_path / "results")
    assert again.returncode == 1
    assert "line 2 of tiny.jsonl holds this command already" in again.stderr
    assert (tmp_path / "results" / "tiny.jsonl").read_text() == lines


def test_a_command_whose_recipe_was_changed_is_recorded_again_and_told_apart(finished, tmp_path):
    results = tmp_path / "docs" / "results"
    assert script("benchmarks.record", finished("old", 0, nmi=0.5), "--results", results).returncode == 0
    file = results / "tiny.jsonl"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"by_now": "fit.max_steps=9"}) + "\n")
    assert script("benchmarks.record", finished("new", 0, nmi=0.6), "--results", results).returncode == 0
    assert len(file.read_text().splitlines()) == 2
    page = tmp_path / "README.md"
    page.write_text("<!-- table: tiny fit nmi -->\n<!-- end -->\n")
    assert script("docs.tables", "--root", tmp_path).returncode == 0
    assert "| `kmeans fit.max_steps=9` | 32-true | 0 | 0.5000 |" in page.read_text()
    assert "| `kmeans` | 32-true | 0 | 0.6000 |" in page.read_text()


@pytest.mark.parametrize("commit", [None, f"{COMMIT}-dirty"])
def test_a_run_of_uncommitted_code_is_refused(finished, tmp_path, commit):
    done = script("benchmarks.record", finished("a", commit=commit), "--results", tmp_path / "results")
    assert done.returncode == 1
    assert f"its commit is {commit}; record runs of committed code only" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_folder_without_a_finished_run_is_named(tmp_path):
    done = script("benchmarks.record", tmp_path, "--results", tmp_path / "results")
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}: found no finished run (a folder with scores.json)\n")


def test_tables_are_filled_and_staleness_is_noticed(finished, tmp_path):
    for seed, nmi in ((1, 0.7), (0, 0.5)):
        finished(f"k{seed}", seed, nmi=nmi)
        finished(f"d{seed}", seed, nmi=nmi + 0.1, method="dec", precision="bf16-mixed")
    finished("longer", 0, nmi=0.75, method="da/dec", typed="fit.max_steps=9 data.root=x hydra.run.dir=y")
    root = tmp_path / "root"
    assert script("benchmarks.record", tmp_path / "runs", "--results", root / "docs" / "results").returncode == 0
    for name in ("README.md", "docs/benchmarks.md"):
        (root / name).write_text(DOCUMENT)
    assert script("docs.tables", "--check", "--root", root).returncode == 1
    assert (root / "README.md").read_text() == DOCUMENT
    assert script("docs.tables", "--root", root).returncode == 0
    lines = (root / "README.md").read_text().splitlines()
    assert lines[2:7] == [
        "| `method=` | precision | seeds | NMI | published | ACC |",
        "|---|---|---|---|---|---|",
        "| `dec` | bf16-mixed | 0, 1 | 0.7000 ± 0.1414 (0.6000 – 0.8000) | – | 0.9000 ± 0.1414 (0.8000 – 1.0000) |",
        "| `kmeans` | 32-true | 0, 1 | 0.6000 ± 0.1414 (0.5000 – 0.7000) | 0.4978 "
        "| 0.8000 ± 0.1414 (0.7000 – 0.9000) |",
        "| `da/dec fit.max_steps=9` | 32-true | 0 | 0.7500 | – | 0.9500 |",
    ]
    assert "| `dec` | 1 | bf16-mixed | tol | 7 | 1.5 | 0.9000 | 0123456789 |" in lines
    assert "- Some CPU (cpu, AVX512, 1 thread a run), 32-true" in lines
    assert "Words between." in lines
    assert lines[lines.index("<!-- ours: dec nmi -->") + 3 : -4] == [
        "| tiny | 2,000 fitted | `dec` | bf16-mixed | 0, 1 | 0.7000 ± 0.1414 (0.6000 – 0.8000) |",
        "| tiny | 10 held out | `dec` | bf16-mixed | 0, 1 | 0.7000 ± 0.1414 (0.6000 – 0.8000) |",
        "| tiny | 2,000 fitted | `da/dec fit.max_steps=9` | 32-true | 0 | 0.7500 |",
        "| tiny | 10 held out | `da/dec fit.max_steps=9` | 32-true | 0 | 0.7500 |",
    ]
    assert lines[-2] == "None yet."
    assert script("docs.tables", "--check", "--root", root).returncode == 0
    with (root / "docs" / "results" / "tiny.jsonl").open("r+") as file:
        changed = file.read().replace('"nmi": 0.5}', '"nmi": 0.9}')
        file.seek(0)
        file.write(changed)
    stale = script("docs.tables", "--check", "--root", root)
    assert stale.returncode == 1
    assert "README.md: differs from docs/results" in stale.stdout


def test_the_small_table_has_means_alone_the_largest_in_bold_and_says_where_a_run_is_missing(finished, tmp_path):
    for seed, nmi in ((0, 0.5), (1, 0.6)):
        finished(f"k{seed}", seed, nmi=nmi)
    finished("d", nmi=0.9, method="da/dec")
    finished("plain", nmi=0.1, method="dec")
    finished("changed", nmi=0.99, method="dec", typed="fit.max_steps=9")
    root = tmp_path / "root"
    assert script("benchmarks.record", tmp_path / "runs", "--results", root / "docs" / "results").returncode == 0
    (root / "README.md").write_text("<!-- means: fit nmi kmeans,dec,gmm tiny tiny:da/ -->\n<!-- end -->\n")
    assert script("docs.tables", "--root", root).returncode == 0
    assert (root / "README.md").read_text().splitlines()[1:-1] == [
        "| `method=` | tiny, 2,000 | tiny, 2,000, `da/` |",
        "|---|---|---|",
        "| `kmeans` | **0.550** | 0.550 |",
        "| `dec` | 0.100 | **0.900** |",
        "| `gmm` | – | – |",
    ]


def test_the_project_s_own_documents_agree_with_its_results():
    done = script("docs.tables", "--check")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_pictures_are_put_in_rows_of_one_width(tmp_path):
    (tmp_path / "figures").mkdir()
    for name, size in (("a", (40, 20)), ("b", (30, 60)), ("c", (100, 10))):
        Image.new("RGB", size, "red").save(tmp_path / "figures" / f"{name}.png")
    done = script("docs.picture", tmp_path, tmp_path / "out" / "x.png", "a,b", "c", "--width", "200")
    assert done.returncode == 0, done.stderr
    joined = Image.open(tmp_path / "out" / "x.png")
    assert joined.width == 200
    assert joined.height == round(20 * 200 / (40 + 12 + 10)) + 12 + 20
    absent = script("docs.picture", tmp_path, tmp_path / "out" / "y.png", "z")
    assert (absent.returncode, absent.stderr) == (1, f"{tmp_path}/figures/z.png: no such figure\n")


def test_what_a_precision_changes_is_told_seed_by_seed(finished, tmp_path):
    for seed, (full, mixed) in enumerate([(0.5, 0.5), (0.7, 0.8), (0.6, 0.6)]):
        finished(f"f{seed}", seed, nmi=full)
        if seed < 2:
            finished(f"m{seed}", seed, nmi=mixed, precision="bf16-mixed")
    root = tmp_path / "root"
    assert script("benchmarks.record", tmp_path / "runs", "--results", root / "docs" / "results").returncode == 0
    (root / "README.md").write_text("<!-- paired: tiny fit nmi,acc 32-true bf16-mixed -->\n<!-- end -->\n")
    assert script("docs.tables", "--root", root).returncode == 0
    assert (root / "README.md").read_text().splitlines()[1:-1] == [
        "| `method=` | seeds | NMI, bf16-mixed less 32-true | ACC, bf16-mixed less 32-true |",
        "|---|---|---|---|",
        "| `kmeans` | 0, 1 | +0.0500 ± 0.0500 (standard error) | +0.0500 ± 0.0500 (standard error) |",
    ]


def test_a_student_stands_beside_its_teacher_of_the_same_runs(tmp_path):
    def line(seed, teacher, student):
        blocks = {"fit": {"n": 2000, "nmi": student}, "teacher": teacher and {"fit": {"nmi": teacher}}}
        machine = {"precision": "32-true"}
        return json.dumps({
            "experiment": "tiny", "recipe": "kmeans", "seed": seed, "machine": machine,
            "command": f"run method=kmeans {'student=mlp' if teacher else ''} seed={seed}", **blocks,
        })  # fmt: skip

    (tmp_path / "tiny.jsonl").write_text("\n".join([line(0, 0.5, 0.7), line(1, 0.6, 0.55), line(0, None, 0.5)]))
    assert students(tmp_path, "fit", ["nmi"], ["tiny"]) == [
        ["data", "`method=`", "seeds", "NMI off", "on", "rose in"],
        [
            "tiny, 2,000", "`kmeans student=mlp`", "0, 1", "0.5500 ± 0.0707 (0.5000 – 0.6000)",
            "0.6250 ± 0.1061 (0.5500 – 0.7000)", "1 of 2",
        ],
    ]  # fmt: skip


def test_recorded_runs_name_no_folder_of_the_machine(finished, tmp_path):
    assert (
        without_places({"command": "run a.b='/x y/z' seed=1 data.path=t.csv"})["command"]
        == "run seed=1 data.path=t.csv"
    )
    done = script("benchmarks.record", finished("a", typed=f"data.root={tmp_path}"), "--results", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in (tmp_path / "results" / "tiny.jsonl").read_text()
    place = re.compile(r"(?<![\w./*\])])/(?:work|tmp|opt|root|home|mnt|Users)/")
    assert [path.name for path in (ROOT / "docs" / "results").rglob("*.jsonl") if place.search(path.read_text())] == []


def test_the_table_of_starts_has_means_of_plain_runs_and_how_often_a_score_fell(tmp_path):
    line = {"experiment": "tiny", "recipe": "dec", "machine": {"precision": "32-true"}, "fit": {"n": 20, "acc": 0.8}}
    runs = [line | {"seed": seed, "command": f"run method=dec seed={seed}", "start": {"fit": {"acc": start}}}
            for seed, start in enumerate((0.7, 0.9))]  # fmt: skip
    kept = line | {"seed": 2, "command": "run method=dec seed=2", "start": {"fit": {"acc": 0.1}}, "kept": "start"}
    taught = line | {"seed": 3, "command": "run method=dec", "start": {"fit": {"acc": 0.1}}, "teacher": {"fit": {}}}
    (tmp_path / "tiny.jsonl").write_text("\n".join(map(json.dumps, [*runs, kept, taught])))
    rows = starts(tmp_path, "dec", ["acc"], ["tiny"])
    assert rows[1] == ["tiny, 20", "0, 1", "0.800", "0.800", "1 of 2"]
