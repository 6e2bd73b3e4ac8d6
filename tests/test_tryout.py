"""`tools/tryout.py`: the blocks of a page, done in an empty folder."""

import subprocess
import sys

import pytest
import tryout

PAGE = """\
```python
# my/own.py
x = 3
```

```bash
cp my/own.py own.py # as a user would
```

```python
import sys
sys.path.insert(0, ".")
import own
```

<!-- not tried -->
```bash
false
```

```yaml
name: x
```

```python
print(own.x)
```
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    path = tmp_path / "page.md"
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield path
    sys.modules.pop("own", None)


def test_blocks_are_done_from_top_to_bottom(page, capsys):
    page.write_text(PAGE)

    tryout.attempt(page)

    out = capsys.readouterr().out
    assert "\n3\n" in out
    assert out.count("-- ") == 4


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("```bash\nfalse\necho done\n```\n", "exit code 1"),
        ("```bash\nfalse | cat\n```\n", "exit code 1"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError: division by zero"),
        ("```python\n(\n```\n", r"SyntaxError: "),
    ],
)
def test_a_block_that_does_not_work_is_named(page, block, reason):
    page.write_text(f"# A page\n\n{block}")

    with pytest.raises(tryout.Failed, match=rf"page\.md:3: {reason}"):
        tryout.attempt(page)


def test_the_command_fails_if_a_page_does_and_tries_the_others(page):
    page.write_text("```bash\nfalse\n```\n")
    other = page.with_name("other.md")
    other.write_text("```bash\nls -A\n```\n")

    command = [sys.executable, tryout.__file__, "--here", page, other]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert f"failed: {page}\n" in ended.stderr
    assert f"== {other}\n-- {other}:1: " in ended.stdout


def test_what_is_tried_is_there():
    assert all((tryout.ROOT / page).exists() for page in tryout.PAGES)


def test_nothing_of_this_repository_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", "x")
    monkeypatch.setenv("ALHARNESS_PLUGINS", "x")

    variables = tryout.outside(tmp_path / "bin" / "python")

    assert variables["PATH"].startswith(f"{tmp_path}/bin:")
    assert not {"PYTHONPATH", "ALHARNESS_PLUGINS"} & set(variables)
