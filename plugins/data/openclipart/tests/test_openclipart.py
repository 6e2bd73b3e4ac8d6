"""The shipped data set, its splits, and what reads the package that it is made from."""

import hashlib
import io
import tarfile
import time

import numpy as np
import pytest

from alharness import DataError, registry
from alharness_openclipart import package, raw, reader, selection, table, words
from alharness_openclipart.drawings import parse
from alharness_openclipart.facts import MODALITIES
from alharness_openclipart.plugin import OpenclipartParams, inspect

SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <metadata><rdf:RDF><cc:Work><dc:title>{title}</dc:title><dc:description>{description}</dc:description>
  <dc:creator><cc:Agent><dc:title>{author}</dc:title></cc:Agent></dc:creator></cc:Work></rdf:RDF>
  <cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></metadata>
  <path style="fill:#ff0000" d="M 0 0 L 9 9"/></svg>"""


def drawing(path, title="", description="", author="Ann Example"):
    return parse(path, SVG.format(title=title, description=description, author=author).encode())


@pytest.fixture(scope="module")
def dataset():
    return reader.load(OpenclipartParams())


def test_it_loads_quickly_and_is_what_is_announced(dataset):
    start = time.process_time()
    again = reader.load(OpenclipartParams())
    assert time.process_time() - start < 0.3
    facts = inspect(OpenclipartParams())
    assert facts.modalities == again.modalities == MODALITIES
    assert sum(facts.sizes) == len(dataset.loaded) == 4921
    assert tuple(map(len, dataset.split(np.random.default_rng(0)).parts.values())) == facts.sizes
    assert min(np.bincount(dataset.loaded.labels)) >= selection.LEAST


def test_its_files_are_those_that_were_made(dataset):
    assert len(reader.verify()) == len(MODALITIES) + 1
    assert all(np.isfinite(array).all() for array in dataset.loaded.inputs.arrays.values())


@pytest.mark.parametrize("split", ["author", "theme"])
def test_a_split_by_groups_keeps_them_together(split):
    parts = table.parts(split)
    sides = {}
    for row, part in zip(table.rows(), parts, strict=True):
        assert sides.setdefault(row.group(split), part) == part
    sizes = inspect(OpenclipartParams(split=split)).sizes
    loaded = reader.load(OpenclipartParams(split=split))
    assert tuple(len(part) for part in loaded.parts.values()) == sizes
    assert all(len(set(part.labels)) == len(loaded.classes) for part in loaded.parts.values())
    assert sizes[0] == pytest.approx(0.6 * len(parts), rel=0.05)


def test_it_is_named_to_those_who_lack_it():
    assert registry.load().datasets["openclipart"].distribution == "alharness-openclipart"


def deb(tmp_path, entries, *, cut=0):
    """A package with these files, and its checksum."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
    body = inner.getvalue()
    header = f"{'data.tar.xz':<16}{'0':<12}{'0':<6}{'0':<6}{'100644':<8}{len(body):<10}`\n".encode()
    whole = b"!<arch>\n" + header + body
    path = tmp_path / "p.deb"
    path.write_bytes(whole[: len(whole) - cut])
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_a_package_only_drawings_are_read(tmp_path):
    folder = package.FOLDER
    entries = {
        f"{folder}b/two.svg": b"2",
        f"{folder}a/one.svg": b"1",
        f"{folder}a/link.svg": "../../../../../../etc/passwd",
        f"{folder}../../../../evil.svg": b"evil",
        f"{folder}/etc/evil.svg": b"evil",
        "./etc/evil.svg": b"evil",
    }
    path, sha256 = deb(tmp_path, entries)
    found = package.read(path, sha256=sha256)
    assert list(found.drawings) == ["a/one.svg", "b/two.svg"]
    assert found.links == 1


def test_a_cut_package_is_named(tmp_path):
    path, sha256 = deb(tmp_path, {f"{package.FOLDER}a/one.svg": b"1" * 5000}, cut=9)
    with pytest.raises(
        DataError, match=r"p\.deb: cannot be unpacked \(data.tar.xz is cut off\).*apt-get download"
    ):
        package.read(path, sha256=sha256)


@pytest.mark.parametrize(
    ("content", "words_"),
    [
        (b"", "is empty"),
        (b"<html>404", "is a web page"),
        (b"PK\x03\x04 a zip file", "is no Debian package"),
        (b"!<arch>\ncut off", r"is 15 bytes long, expected 24,919,068: a part of .* is missing"),
        (b"!<arch>\n" + bytes(package.SIZE), "is another package, or damaged"),
    ],
)
def test_another_file_is_refused_with_what_it_is(tmp_path, content, words_):
    path = tmp_path / "x.deb"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.deb: {words_}.*; get it on Debian or Ubuntu"):
        package.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"x\.deb: cannot be read: No such file"):
        package.read(tmp_path / "x.deb")


def test_a_drawing_that_reads_other_files_is_refused():
    evil = b'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg><title>&e;</title></svg>'
    with pytest.raises(DataError, match=r"a\.svg: declares the entity 'e' outside the file"):
        parse("a.svg", evil)
    with pytest.raises(DataError, match=r"a\.svg: is no drawing"):
        parse("a.svg", b"<svg>")


def test_what_a_drawing_says_is_read():
    read = drawing("animals/cats/x.svg", title="A  cat", description="sleeping", author="Ann Example")
    assert (read.title, read.description, read.author) == ("A cat", "sleeping", "Ann Example")
    assert (read.folder, read.theme, read.free) == ("animals", "animals/cats:ann example", True)
    assert read.elements[-1].attributes == {"d": "M 0 0 L 9 9", "fill": "#ff0000"}


def test_words_that_give_something_away_are_removed():
    alone = [drawing("animals/ann_exam_cat_01.svg", title="Animals: a sleeping cat by Ann Example")]
    series = [
        drawing(f"signs_and_symbols/alpha_{n:02}.svg", title=f"alpha {name}", description="shared words")
        for n, name in enumerate(["one", "red", "blue", "green", "white", "black", "grey", "brown", "pink"])
    ]
    found = words.texts(alone + series, ["animals", "signs_and_symbols"])
    assert found.words[0] == ["sleeping", "cat", "cat"]
    assert found.words[2] == ["red"]
    assert found.series == ["alpha"]


def test_copies_are_found_and_those_of_two_classes_are_left_out():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (selection.LEAST + 6, 24, 24, 3), dtype=np.uint8)
    paths = [f"animals/{i:03}.svg" for i in range(selection.LEAST)]
    paths += ["animals/a.svg", "animals/b.svg", "food/c.svg", "food/d.svg", "special/e.svg", "food/f.svg"]
    images[-6] = np.minimum(images[0].astype(int) + 2, 255)  # nearly the first
    images[-4] = images[-5]
    images[-1] = 255
    chosen = selection.choose([drawing(path) for path in paths], images)
    assert [paths[i] for i in chosen.rows] == paths[: selection.LEAST]
    assert sorted(chosen.left_out.values()) == [1, 1, 1, 1, 2]
    assert chosen.small == {"food": 1}


@pytest.fixture
def own(tmp_path):
    lines = "".join(f"{row.id},x\n" for row in table.rows())
    (tmp_path / "drawings.csv").write_text("id,picture\n" + lines)
    return tmp_path


def test_own_features_replace_the_shipped_ones_or_are_added(own):
    np.save(own / "image.npy", np.ones((4921, 3), np.float16))
    np.save(own / "sound.npy", np.ones((4921, 2), np.float32))
    made = reader.load(OpenclipartParams(raw=own))
    assert made.modalities == inspect(OpenclipartParams(raw=own)).modalities == (*MODALITIES, "sound")
    assert made.loaded.inputs.arrays["image"].shape == (4921, 3)


@pytest.mark.parametrize(
    ("name", "array", "words_"),
    [
        (None, None, "has no features"),
        ("image.npy", np.ones((4, 3), np.float32), r"has shape \(4, 3\), expected \(4921, d\)"),
        ("image.npy", np.full((4921, 3), "a"), "expected numbers"),
        ("My image.npy", np.ones((4921, 3), np.float32), "small letters"),
        ("image.npy", np.full((4921, 1), np.nan, np.float32), "NaN"),
    ],
)
def test_own_features_that_do_not_fit_are_refused(own, name, array, words_):
    if name:
        np.save(own / name, array)
    with pytest.raises(DataError, match=words_):
        [read() for read in raw.own(own).values()]


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no drawings\.csv; make it with: alharness data import openclipart"):
        raw.own(tmp_path)
    (tmp_path / "drawings.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match="its ids are not those of this version"):
        raw.own(tmp_path)
