"""Words and phrases that puzzled readers do not come back: in code, recipes, documents and console texts."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("deepcluster_pl", "conf", "docs", "scripts", "examples")
PAGES = ("README.md", "CONTRIBUTING.md")
SUFFIXES = {".py", ".yaml", ".md", ".html", ".js", ".css", ".sh"}


class Phrase(NamedTuple):
    """A phrase that is not written, with a sample that has it.

    Attributes:
        pattern: regular expression; a space stands for any white space, so that a phrase is found across lines.
        instead: the plain words.
        sample: a sentence that has the phrase.
    """

    pattern: str
    instead: str
    sample: str


PHRASES = (
    Phrase(r"\banew\b", "again, or a new one", "Neighbors are drawn anew."),
    Phrase(r"\b(go|goes|going|gone|went) on\b", "resume, or continue", "The run goes on with its checkpoint."),
    Phrase(r"\b(lie|lies|lying)\b", "is in, or is stored in", "What the run measured lies in its model."),
    Phrase(r"\bwhat was\b", "a noun: the command, the results", "Return what was typed."),
    Phrase(r"\bsays? so\b", "prints a line, or reports it", "The console says so."),
    Phrase(r"\btold\b", "given, printed, or named", "Each accident is told in one line."),
    Phrase(r"\btell each other\b", "collective operations", "What processes tell each other."),
    Phrase(r"\bspeaks?\b", "decides, or is evidence for", "The head with the lowest loss speaks."),
    Phrase(r"\b(has|have) (no|a) say\b", "is (not) used", "Labels have no say."),
    Phrase(r"\b(builds?|built) upon\b", "resumes from", "What is there is built upon."),
    Phrase(r"\b(begins?|starts?) as nothing\b", "is initialized to zero", "Layers begin as nothing."),
    Phrase(r"\bwrites? and talks?\b", "only rank 0 writes files and prints", "The first alone writes and talks."),
    Phrase(r"\ba word of it\b", "a warning", "Return the checkpoint and a word of it."),
    Phrase(r"\bsettle[sd]?\b|\bsettling\b", "converges, converged", "Training stops once assignments settle."),
    Phrase(r"\b(run's own|run's) folder\b|\bfolder of (a|the) run\b", "run folder", "Files in the run's folder."),
    Phrase(r"\bcarr(y|ies|ied) on\b", "resume", "It is carried on with the same settings."),
    Phrase(r"\bleft alone\b", "uninterrupted", "Compare it with a run that was left alone."),
    Phrase(r"\bin company\b", "in a batch, or distributed", "A sample in company."),
    Phrase(r"\bwhat (it|they|this) comes? to\b", "the results", "Compare what they come to."),
    Phrase(r"\bgoes with (a|any|every|the)\b", "works with", "This start goes with every method."),
    Phrase(r"\bwhere nothing else is said\b", "by default", "In float32 where nothing else is said."),
    Phrase(r"\bmend(s|ed|ing)?\b", "correct, or repair", "The cluster is not mended."),
    Phrase(r"\bbehind the\b", "after the", "A checkpoint behind the fit."),
    Phrase(r"\bin front of\b", "before", "Steps in front of the first."),
    Phrase(r"\bnow and then\b", "every few steps, epochs or seconds", "Now and then p is computed again."),
    Phrase(r"\b(is|are|was|were|be) kept\b", "is stored, or stays", "Finished jobs are kept."),
    # One word for one thing
    Phrase(r"\b(linear|(pre)?trained|learned|raw|short) codes?\b", "embedding", "k-means on the pretrained code."),
    Phrase(r"\b(length|scale|space|covariance) of the codes?\b", "embedding", "The length of the code is D."),
    Phrase(r"\b(auto)?encoder's codes?\b", "embeddings", "k-means on the autoencoder's code."),
    Phrase(r"\bcode layer\b", "embedding layer", "The net's code layer must be linear."),
    Phrase(r"\bwhose code\b", "embedding", "An autoencoder whose code is a mixture."),
    Phrase(r"\bk-means on the codes?\b", "k-means on the embeddings", "Then k-means on the code."),
    Phrase(r"\bkernel's shares\b|\bshares by distance\b|\bshares \(N", "probabilities", "Return shares (N, K)."),
    Phrase(r"\b(the|a) start's\b", "the initialization's", "The start's centers assign every row."),
    Phrase(r"\b(after|before|on) (a|the) start,", "the initialization", "After the start, centers move."),
    # British spellings, also inside names such as n_centres
    Phrase(r"centre(?!t)", "center", "n_centres = 3"),
    Phrase(r"colour", "color", "colours_of(picture)"),
    Phrase(r"neighbour", "neighbor", "its 20 nearest neighbours"),
    Phrase(r"behaviour", "behavior", "the behaviour of a run"),
    Phrase(r"labelled|labelling", "labeled, labeling", "unlabelled samples"),
    Phrase(r"artefact", "artifact", "every artefact of a run"),
    Phrase(r"\bgrey", "gray", "grey_levels"),
    Phrase(
        r"(normal|initial|optim|standard|organ|minim|maxim|visual|serial|summar|recogn)is(e|es|ed|er|ing|ation)\b",
        "-ize, -ization",
        "the initialisation",
    ),
)
NAMES = {
    "told_in_a_line": "friendly_errors",
    "from_first": "broadcast_from_rank_zero",
    "replacing": "atomic_write",
    "soften": "shrink_and_perturb",
    "MostAgreed": "ConsensusRestarts",
    "AgreementOfHalves": "SplitHalfStability",
    "Workshop": "StageTrainer",
    "settled": "converged",
    "told": "a name for the content",
}
"""Names of our own that are not used again, and the names in their place."""
EARLIER_NAMES = {"deepcluster_pl/utils/renames.py", "deepcluster_pl/config/renamed_targets.py"}
"""Files that translate names of earlier versions."""
NO_BEGINNINGS = ("What", "Where", "How", "Whether", "Which", "When", "Say", "Tell")
ARTICLES = ("The", "A", "An", "Every", "All", "One", "Each", "It", "Of", "In")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the passages of a file that people read, each with the number of its first line."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _python_texts(content)
    elif path.suffix in (".yaml", ".sh"):
        yield 1, "\n".join(line.partition("#")[2] for line in content.splitlines())
    elif path.suffix == ".md":
        yield 1, _prose_of_markdown(content)
    else:
        yield 1, content


def _python_texts(content: str) -> Iterator[tuple[int, str]]:
    """Yield the strings and the comments of a module; comments on adjacent lines are one passage."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(content).readline)
        if token.type == tokenize.COMMENT
    }
    for line in (line for line in comments if line - 1 not in comments):
        passage = []
        for number in range(line, line + len(comments)):
            if number not in comments:
                break
            passage.append(comments[number])
        yield line, "\n".join(passage)


def _prose_of_markdown(content: str) -> str:
    """Blank code, and tables that scripts write, without a change of line numbers."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", "", match[0])

    content = re.sub(r"^```.*?^```$", blank, content, flags=re.DOTALL | re.MULTILINE)
    content = re.sub(r"^ {4}\S.*$", "", content, flags=re.MULTILINE)
    content = re.sub(r"^<!-- [^\n]*-->\n.*?^<!-- (\w+ )?end -->$", blank, content, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "``", content)


def hits_in_text(text: str, first_line: int = 1) -> Iterator[tuple[int, str, str]]:
    """Yield line, phrase and remedy for every phrase in a passage."""
    for phrase in PHRASES:
        for match in re.finditer(phrase.pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            yield first_line + text[: match.start()].count("\n"), " ".join(match[0].split()), phrase.instead


def hits_in_names(content: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and remedy for every name of Python code that is not used again, or is spelled in British."""
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME:
            if token.string in NAMES:
                yield token.start[0], token.string, NAMES[token.string]
            spelled = [hit for hit in hits_in_text(token.string) if not hit[1].isspace()]
            yield from ((token.start[0], token.string, instead) for _, word, instead in spelled if word != "told")


def hits_in_docstrings(content: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, first word and remedy for every docstring with a puzzling beginning."""
    for node in ast.walk(ast.parse(content)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        docstring = ast.get_docstring(node)
        if not docstring:
            continue
        word = docstring.split()[0]
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if word in NO_BEGINNINGS:
            yield node.body[0].lineno, word, "a verb (Return, Compute, Write), or a noun for a class"
        elif is_function and word in ARTICLES and not _is_property(node):
            yield node.body[0].lineno, word, "a verb (Return, Compute, Write, Raise)"


def _is_property(node: ast.AST) -> bool:
    """Return True for a property, whose docstring may be a noun."""
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(text.endswith("property") for text in decorators)


def files() -> list[Path]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*")) if path.suffix in SUFFIXES]
    return [*found, *(ROOT / page for page in PAGES)]


@pytest.mark.parametrize("room", [*ROOMS, *PAGES])
def test_no_puzzling_phrase_is_written(room):
    hits = []
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name.split("/")[0] != room or name in EARLIER_NAMES:
            continue
        found = [hit for first_line, text in texts(path) for hit in hits_in_text(text, first_line)]
        if path.suffix == ".py":
            content = path.read_text(encoding="utf-8")
            found += [*hits_in_names(content), *hits_in_docstrings(content)]
        hits += [f"{name}:{line}: {phrase!r}; write {instead}" for line, phrase, instead in sorted(set(found))]
    assert not hits, "\n" + "\n".join(hits)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.sample)
def test_every_phrase_is_caught_in_its_sample(phrase):
    assert phrase.instead in [instead for _, _, instead in hits_in_text(phrase.sample)]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_caught_in_code(name):
    assert (2, name, NAMES[name]) in list(hits_in_names(f"x = 1\n{name} = x\n"))


@pytest.mark.parametrize("word", [*NO_BEGINNINGS, *ARTICLES])
def test_every_beginning_of_a_docstring_is_caught(word):
    assert [hit[:2] for hit in hits_in_docstrings(f'def f():\n    """{word} is returned."""\n')] == [(2, word)]


def test_a_property_may_be_a_noun_but_no_question():
    code = 'class C:\n    @property\n    def a(self):\n        """{} size."""\n'
    assert list(hits_in_docstrings(code.format("The"))) == []
    assert [hit[1] for hit in hits_in_docstrings(code.format("What"))] == ["What"]


def test_a_phrase_is_found_across_lines_in_comments_and_texts_with_its_line():
    code = '# it goes\n# on\nx = "and lies there"\nraise ValueError(f"{x} says so")\n'
    found = sorted(hit[:2] for first_line, text in _python_texts(code) for hit in hits_in_text(text, first_line))
    assert found == [(1, "goes on"), (3, "lies"), (4, "says so")]


def test_code_and_recorded_tables_of_a_page_are_not_prose():
    page = "It `lies`.\n```bash\nlies\n```\n    lies\n<!-- speed -->\n| lies |\n<!-- end -->\nIt lies.\n"
    assert [hit[:2] for hit in hits_in_text(_prose_of_markdown(page))] == [(9, "lies")]


def test_british_spelling_inside_a_name_is_caught():
    assert [hit[:2] for hit in hits_in_names("def move(old_centres): ...\n")] == [(1, "old_centres")]
