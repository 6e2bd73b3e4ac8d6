import pytest

from alharness import cli


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(["docs", *arguments])
    return caught.value.code


def test_pages_are_listed_by_kind(capsys):
    assert run() == 0

    listed = capsys.readouterr().out
    assert "\nHow-to:\n" in listed
    assert "  how-to/run-a-grid  " in listed


@pytest.mark.parametrize("name", ["how-to/run-a-grid", "run-a-grid", "how-to/run-a-grid.md"])
def test_a_page_is_printed_as_it_is(capsys, name):
    assert run(name) == 0

    assert capsys.readouterr().out.startswith("# Run a whole grid\n")


def test_another_word_lists_the_pages_about_it(capsys):
    assert run("Parquet") == 0

    listed = capsys.readouterr().out
    assert "  how-to/use-your-own-embeddings  " in listed
    assert "  reference/spec  " not in listed
    assert "Tutorial:" not in listed


def test_an_unknown_page_has_near_names(capsys):
    assert run("run-a-gird") == 2

    assert "there is no page 'run-a-gird'; did you mean 'run-a-grid'?" in capsys.readouterr().err


def test_a_name_that_is_like_no_page(capsys):
    assert run("qqq") == 2

    assert "there is no page 'qqq'; `alharness docs` lists them" in capsys.readouterr().err


def test_no_file_outside_of_the_list_is_printed(capsys):
    assert run("../README") == 2

    assert "there is no page" in capsys.readouterr().err
