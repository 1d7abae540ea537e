"""Documents name nothing that is not there: files, headings, tests, scripts, subcommands and recipes."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from deepcluster_pl.cli.main import COMMANDS
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.config.sweeps import sweeps_by_itself

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(file.relative_to(ROOT).as_posix() for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CURRENT = [name for name in DOCUMENTS if name != "CHANGELOG.md"]
"""Documents of today; the change log also tells of files that are gone."""
EXAMPLE = re.compile(r"\bpull\b|_pull\b|<\w+>")
"""The method that CONTRIBUTING.md invents, and placeholders."""


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


def anchors(markdown):
    """Return the anchors of all headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(markdown):
    """Return the command lines of a document, without comments, from code blocks and code spans."""
    blocks = re.findall(r"^ {4}\S.*$|(?<=^```bash\n).*?(?=^```$)", markdown, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`(deepcluster [^`]*)`", markdown)
    lines = "\n".join([*blocks, *spans]).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].split() for line in lines if re.match(r" *(deepcluster|\S+=\d \S*deepcluster) ", line)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document):
    file = ROOT / document
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text_of(document))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (file.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_heading_finds_it(document):
    links = re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", text_of(document))
    local = [(file, anchor) for file, anchor in links if "://" not in file]
    pages = {file: ROOT / document if not file else (ROOT / document).parent / file for file, _ in local}
    assert [
        f"{file}#{anchor}" for file, anchor in local if anchor not in anchors(pages[file].read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize("document", CURRENT)
def test_every_test_that_a_document_names_is_there(document):
    named = re.findall(r"`(?:tests/)?([\w/]+\.py)::(\w+)`", text_of(document))
    sources = {file: ROOT / "tests" / file for file, _ in named}
    absent = [f"{file}::{test}" for file, test in named if not sources[file].is_file()]
    absent += [
        f"{file}::{test}"
        for file, test in named
        if sources[file].is_file() and f"def {test}(" not in sources[file].read_text(encoding="utf-8")
    ]
    assert absent == []


@pytest.mark.parametrize(("document", "least"), [("docs/pitfalls.md", 14), ("docs/reliability.md", 30)])
def test_pages_of_promises_name_their_tests(document, least):
    assert len(re.findall(r"`[\w/]+\.py::\w+`", text_of(document))) > least


@pytest.mark.parametrize("document", CURRENT)
def test_every_file_that_a_document_names_is_there(document):
    named = set(re.findall(r"`((?:deepcluster_pl|conf|tests|scripts|docs|examples)/[\w./-]+)`", text_of(document)))
    assert sorted(name for name in named if not EXAMPLE.search(name) and not (ROOT / name).exists()) == []


@pytest.mark.parametrize("document", CURRENT)
def test_every_script_that_a_document_names_is_a_module(document):
    named = set(re.findall(r"python -m (scripts\.[\w.]+)", text_of(document)))
    assert sorted(name for name in named if find_spec(name) is None) == []


@pytest.mark.parametrize("document", CURRENT)
def test_every_command_has_a_subcommand_that_exists(document):
    firsts = [
        words[words.index("deepcluster") + 1] for words in commands(text_of(document)) if words[-1] != "deepcluster"
    ]
    unknown = [first for first in firsts if first not in COMMANDS and "=" not in first and not first.startswith("-")]
    assert unknown in ([], ["..."])


@pytest.mark.parametrize("document", CURRENT)
def test_every_recipe_of_a_command_exists(document):
    absent = []
    for word in (word for words in commands(text_of(document)) for word in words):
        group, equals, options = word.partition("=")
        folder = ROOT / "conf" / group.split("@")[0]
        if equals and folder.is_dir() and not EXAMPLE.search(word):
            absent += [word for option in options.split(",") if not (folder / f"{option}.yaml").is_file()]
    assert absent == []


def test_commands_are_found_in_blocks_and_spans_with_their_continuation():
    page = (
        "```bash\ndeepcluster a=b \\\n    c=d\n```\n\n    X=1 deepcluster -m a=b  # why\n\nAlso `deepcluster table x`."
    )
    assert commands(page) == [
        ["deepcluster", "a=b", "c=d"], ["X=1", "deepcluster", "-m", "a=b"], ["deepcluster", "table", "x"],
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("document", [name for name in CURRENT if commands(text_of(name))])
def test_every_command_of_a_run_composes(document):
    problems = []
    for words in commands(text_of(document)):
        typed = shlex.split(" ".join(words[words.index("deepcluster") + 1 :]))
        left_out = [word for word in typed if EXAMPLE.search(word) or word in (*COMMANDS, "...", "--help")]
        overrides = quote_paths([word for word in typed if word not in ("-m", "--cfg", "job")])
        if not left_out and not any(word.startswith("resume=") for word in overrides):
            multirun = "-m" in typed or sweeps_by_itself(overrides)
            problems += compose_checked(overrides, multirun).problems
    assert problems == []
