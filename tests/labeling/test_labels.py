import pytest

from alharness import DataError, Task
from alharness.labeling.labels import Label, accept, read_given, read_known, sorted_classes, to_text

KNOWN = {"a": Label(id="a", label="cat", batch=-1, by="random start")}


def take(given, known=None, task=Task.CLASSIFICATION, classes=("cat", "dog"), relabel=False):
    known = KNOWN if known is None else known
    return accept(known, given, source="x.csv", ids=("a", "b", "c"), task=task, classes=classes, relabel=relabel)


def write(folder, text):
    path = folder / "x.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_read_back_as_they_were(tmp_path):
    known = {name: Label(id=name, label=name, batch=0, by="badge") for name in ("a", "=1+1", "7", 'q"u,o\nte')}
    assert read_known(write(tmp_path, to_text(known))) == known


def test_there_are_none_before_the_first(tmp_path):
    assert read_known(tmp_path / "labels.csv") == {}


@pytest.mark.parametrize(
    "text", ["id,label\na,cat\nb,\n", "\ufeffid;label\na;cat\n", "rank\tlabel\tid\n1\tcat\ta\n"]
)
def test_a_table_may_come_from_a_spreadsheet(tmp_path, text):
    assert read_given(write(tmp_path, text)) == {"a": "cat"}


def test_the_same_label_twice_is_one(tmp_path):
    assert read_given(write(tmp_path, "id,label\na,cat\na,cat\n")) == {"a": "cat"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,label\na,cat\na,dog\n", "x.csv:3: the id 'a' has the label 'dog' here and 'cat' before"),
        ("id,lable\na,cat\n", "no column 'label'; did you mean 'lable'"),
        ("id,label\na\n", "x.csv:2: has 1 cells, and the header 2"),
        ("", "is empty; expected a table with the columns id and label"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, why):
    with pytest.raises(DataError, match=why):
        read_given(write(tmp_path, text))


def test_only_what_is_new_is_accepted():
    assert take({"a": "cat", "b": "dog"}) == {"b": "dog"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"z": "cat"}, "x.csv: 1 id is not in the data: z"),
        ({"b": "dgo"}, "'dgo', as of 'b', is a class that was never seen; did you mean 'dog'.*--class 'dgo'"),
        ({"a": "dog"}, "1 label differs from before: 'a' was 'cat' and is 'dog'.*--relabel"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(given, why):
    with pytest.raises(DataError, match=why):
        take({"c": "cat", **given})


def test_a_label_may_be_corrected():
    assert take({"a": "dog"}, relabel=True) == {"a": "dog"}


def test_the_first_labels_make_the_classes():
    assert take({"b": "bird"}, classes=()) == {"b": "bird"}


def test_numbers_are_equal_by_their_value():
    known = {"a": Label(id="a", label="1.50", batch=-1, by="")}
    assert take({"a": "1.5", "b": "2"}, known, Task.REGRESSION, ()) == {"b": "2"}


def test_a_number_is_expected_in_regression():
    with pytest.raises(DataError, match="the label of 'b' is 'cat', expected a number"):
        take({"b": "cat"}, {}, Task.REGRESSION, ())


def test_classes_that_are_numbers_are_in_their_order():
    assert sorted_classes(["10", "9", "-1"]) == ("-1", "9", "10")
    assert sorted_classes(["b", "10", "a"]) == ("10", "a", "b")
