"""The documentation on data sets: its examples run, and it names what the data sets are made of."""

import re
from pathlib import Path

import pytest

from alharness.api.vocabulary import Task
from alharness.datasets.arrays.plugin import alharness_datasets as arrays
from alharness.datasets.digits.plugin import alharness_datasets as digits
from alharness.datasets.mfeat.plugin import alharness_datasets as mfeat
from alharness.spec import sources, yamlfile
from alharness.spec.document import RawSpec
from alharness_sentiment.cherma.facts import PUBLISHED, ImportOptions
from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.mmsa.keys import COLUMN_NAMES, SPLIT_NAMES
from alharness_sentiment.mmsa.plugin import ImportOptions as PickleOptions
from alharness_sentiment.mmsa.plugin import OwnParams
from alharness_sentiment.stored.plugin import StoredParams

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "data-sets.md").read_text(encoding="utf-8")
OWN = (DOCS / "how-to" / "use-your-own-data.md").read_text(encoding="utf-8")
(ARRAYS,) = arrays()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", OWN, flags=re.MULTILINE | re.DOTALL)


EXAMPLES = list(zip(blocks("python"), [b for b in blocks("yaml") if b.startswith("name:")], strict=True))


@pytest.fixture(params=EXAMPLES, ids=["classification", "regression"])
def example(request, tmp_path, monkeypatch):
    """Runs the Python code in an empty folder; the spec, and the parameters in it."""
    code, text = request.param
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/how-to/use-your-own-data.md", "exec"), {})
    path = tmp_path / "specs" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(text)
    spec = sources.apply(yamlfile.read(path), ()).data
    params = ARRAYS.params.model_validate(spec["dataset"]["params"], context={"folder": path.parent})
    return spec, params


def test_the_spec_is_well_formed(example):
    spec, _ = example
    assert RawSpec.model_validate(spec, strict=True).dataset.name == "arrays"


def test_what_the_example_writes_is_a_data_set(example):
    spec, params = example
    facts = ARRAYS.inspect(params)
    dataset = ARRAYS.make(params)
    assert facts.task == dataset.task == Task(spec["dataset"]["params"].get("task", "classification"))
    assert facts.modalities == dataset.modalities == ("audio", "text")
    assert facts.sizes == tuple(len(part) for part in dataset.parts.values()) == (200, 40, 60)


def test_the_classes_of_the_example_are_its_moods(example):
    _, params = example
    expected = ("calm", "glad", "sad") if params.task == Task.CLASSIFICATION else ()
    assert ARRAYS.make(params).classes == expected


def test_every_parameter_stands_on_the_page():
    for name, field in ARRAYS.params.model_fields.items():
        words = {None: "all", (): "none"}
        default = "must be given" if field.is_required() else words.get(field.default, field.default)
        assert re.search(rf"^\| `{name}` \| `?{default}", OWN, flags=re.MULTILINE)


@pytest.mark.parametrize("offer", [digits, mfeat])
def test_terms_and_citation_stand_on_the_page(offer):
    (plugin,) = offer()
    doi = re.search(r"DOI (\S+\d)", plugin.reference)[1]
    assert f"DOI [{doi}](https://doi.org/{doi})" in PAGE
    assert plugin.license.startswith("CC BY 4.0")
    assert "CC BY 4.0 as stated by" in PAGE.partition(f"## `{plugin.name}`")[2].partition("\n## ")[0]


def test_the_page_names_the_sizes_of_the_modalities():
    from alharness.datasets.mfeat.facts import VIEWS

    for view in VIEWS:
        assert re.search(rf"^\| `{view.name}` \| {view.size} \|", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "published", [*(corpus.published for corpus in CORPORA.values()), PUBLISHED], ids=lambda p: p.name
)
def test_source_terms_and_citation_of_what_must_be_fetched_stand_on_the_page(published):
    words = " ".join(PAGE.replace("\n> ", " ").split())
    title, _, doi = re.search(r"(: [^.]+\..+?)( DOI )(10\.\S+)$", published.citation).groups()
    assert published.citation.removesuffix(f" DOI {doi}") in words
    assert title in words
    assert f"DOI [{doi}](https://doi.org/{doi})" in PAGE
    for token in re.findall(r"Baidu (\S+) \(code (\w+)\)", published.where)[0]:
        assert f"`{token}`" in PAGE
    assert published.source in PAGE


@pytest.mark.parametrize("corpus", CORPORA.values(), ids=lambda corpus: corpus.name)
def test_the_page_has_the_sizes_of_every_corpus(corpus):
    row = re.search(rf"^\| `{corpus.name}` \| `{corpus.published.source}` \|.*$", PAGE, flags=re.MULTILINE)[0]
    assert f"| {', '.join(map(str, corpus.features.values()))} |" in row
    assert f"-{corpus.largest:g} to {corpus.largest:g}" in row
    assert corpus.sizes is None or " / ".join(map(str, corpus.sizes)) in row


def test_every_parameter_of_stored_data_sets_stands_on_the_page():
    for name, field in StoredParams.model_fields.items():
        default = {"path": "data/<name>", "modalities": "all", "stand_in": "as tested"}.get(name, field.default)
        assert re.search(rf"^\| `{name}` \| `?{default}", PAGE, flags=re.MULTILINE)
    for name, field in ImportOptions.model_fields.items():
        assert f"| `{name}` | {field.default} |" in PAGE
    section = PAGE.partition("(own-features)=")[2].partition("(cherma)=")[0]
    for name, field in OwnParams.model_fields.items():
        default = {"path": "data/<name>", "modalities": "all"}.get(name, field.default)
        assert re.search(rf"^\| `{name}` \| `?{default}", section, flags=re.MULTILINE)


def test_every_option_of_the_import_of_pickles_stands_on_the_page():
    for name in PickleOptions.model_fields:
        assert f"--set {name}=" in PAGE


def test_every_other_name_of_a_column_stands_on_the_page():
    for names in (*COLUMN_NAMES.values(), *SPLIT_NAMES.values()):
        for name in set(names) - {"validation"}:
            assert f"`{name}`" in PAGE
