"""Labels that look like missing ones, and arrays in other files: reported with value, count and remedy."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

from alharness.datasets.arrays.labels import fillers
from alharness.datasets.arrays.plugin import ArraysParams, inspect
from alharness.datasets.arrays.reader import load
from alharness.errors import DataError

from .conftest import TABLE


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sad", "glad"], []),
        (["sad", "glad", "nan"], ["nan"]),
        (["sad", "NaN", "None", "NULL", "Unknown", "?", "-", "N/A", "unlabelled"],
         ["-", "?", "N/A", "NULL", "NaN", "None", "Unknown", "unlabelled"]),
        (["sad", "-1"], ["-1"]),
        (["sad", "-1", "-9", "2"], ["-1", "-9"]),
        (["0", "1", "2", "-1"], ["-1"]),
        (["0", "1", "-1.0"], ["-1.0"]),
        (["0", "1", "−1"], ["−1"]),
        (["0", "1", "-999"], ["-999"]),
        (["-1", "1"], []),
        (["-2", "-1", "0", "1", "2"], []),
        (["0", "1", "nan"], ["nan"]),
        (["-1", "1", "nan"], ["nan"]),
        (["nana", "no", "nonesuch"], []),
    ],
)  # fmt: skip
def test_names_that_look_like_a_missing_label(names, expected):
    assert fillers(names) == expected


def test_fillers_are_told_with_value_and_count_before_and_after_loading(folder):
    rows = "".join(f"{i},train,nan\n" for i in range(3))
    (folder / "labels.csv").write_text(TABLE + rows)
    for path in folder.glob("*.npy"):
        array = np.load(path)
        np.save(path, np.concatenate([array, array[:3]]))
    expected = (
        "labels.csv: 3 rows have the label 'nan', which looks like a missing label and is taken as a class; empty "
        "the cell of a row that has no label yet, or leave it if it is a class"
    )
    params = ArraysParams(path=folder)
    assert inspect(params).warnings == load(params).remarks == (expected,)


def test_labels_of_a_modality_are_looked_at_too(folder):
    (folder / "labels.csv").write_text(
        "id,split,label,label_audio\na,train,sad,sad\nb,train,glad,glad\nc,train,?,sad\n"
        "d,valid,sad,?\ne,test,sad,?\nf,test,glad,sad\n"
    )
    first, second = inspect(ArraysParams(path=folder)).warnings
    assert "1 row has the label '?'" in first
    assert "2 rows have the label_audio '?'" in second


def test_numbers_to_predict_are_no_fillers(folder):
    (folder / "labels.csv").write_text("id,split,label\n" + "".join(
        f"{i},{split},{y}\n" for i, (split, y) in enumerate(
            [("train", -1), ("train", 0), ("train", 1), ("valid", 2), ("test", 1), ("test", 0)]
        )
    ))  # fmt: skip
    assert inspect(ArraysParams(path=folder, task="regression")).warnings == ()


@pytest.mark.parametrize("filler", ["nan", "inf", "none", "", "?"])
def test_numbers_to_predict_that_are_missing_are_errors(folder, filler):
    (folder / "labels.csv").write_text(TABLE.replace("sad", "1").replace("glad", filler))
    with pytest.raises(DataError, match="expected a finite number|the label is empty"):
        inspect(ArraysParams(path=folder, task="regression"))


def save_npz(path, x):
    np.savez(path, x)


def save_csv(path, x):
    np.savetxt(path, x, delimiter=",", header="a,b,c", comments="")


def save_parquet(path, x):
    import pandas as pd

    pytest.importorskip("pyarrow")
    pd.DataFrame(x, columns=list("abc")).to_parquet(path)


def save_torch(path, x):
    import torch

    torch.save(torch.tensor(x), path)


SAVE = {".npz": save_npz, ".csv": save_csv, ".parquet": save_parquet, ".pt": save_torch}


def convert(words):
    """Run the command at the end of a message."""
    _, python, c, code = shlex.split(words[words.index("with: ") :])
    assert (python, c) == ("python", "-c")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("ending", SAVE)
def test_arrays_in_other_files_are_named_and_the_line_converts_them(folder, ending):
    x = np.load(folder / "audio.npy").astype(np.float32)
    for path in folder.glob("*.npy"):
        path.unlink()
    SAVE[ending](folder / f"audio{ending}", x)
    with pytest.raises(
        DataError, match=rf"expected one file per modality; found audio{ending}: write it as"
    ) as caught:
        inspect(ArraysParams(path=folder))
    convert(str(caught.value))
    assert np.array_equal(np.load(folder / "audio.npy"), x)
    assert inspect(ArraysParams(path=folder)).modalities == ("audio",)


def test_several_arrays_of_one_file(folder):
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("audio", "video")}
    for path in folder.glob("*.npy"):
        path.unlink()
    np.savez(folder / "it's all.npz", **arrays)
    with pytest.raises(DataError) as caught:
        inspect(ArraysParams(path=folder))
    convert(str(caught.value))
    assert inspect(ArraysParams(path=folder)).modalities == ("audio", "video")


def test_a_chosen_modality_in_another_file(folder):
    np.savez(folder / "text.npz", np.zeros((6, 2)))
    with pytest.raises(DataError, match=r"for the modality 'text'; found text\.npz: write it as \.npy"):
        inspect(ArraysParams(path=folder, modalities=("audio", "text")))


def test_arrays_that_are_not_read_next_to_those_that_are(folder):
    np.savez(folder / "text.npz", np.zeros((6, 2)))
    np.savez(folder / "audio.npz", np.zeros((6, 2)))  # has its .npy
    (folder / "notes.csv").write_text("id,who\na,me\n")
    (warning,) = inspect(ArraysParams(path=folder)).warnings
    assert warning.startswith(
        "text.npz is not read; if it is a modality, write it as .npy with: python -c 'import"
    )
    assert inspect(ArraysParams(path=folder, modalities=("audio",))).warnings == ()
