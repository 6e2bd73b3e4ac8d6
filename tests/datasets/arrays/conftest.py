import numpy as np
import pytest

TABLE = """\
id,split,label
a,train,sad
b,train,glad
c,train,sad
d,valid,glad
e,test,sad
f,test,glad
"""


@pytest.fixture
def folder(tmp_path):
    """Six samples: `audio` (6, 3) and `video`, sequences (6, 4, 2) with lengths."""
    path = tmp_path / "mine"
    path.mkdir()
    np.save(path / "audio.npy", np.arange(18.0).reshape(6, 3))
    np.save(path / "video.npy", np.arange(48, dtype=np.float32).reshape(6, 4, 2))
    np.save(path / "video_lengths.npy", np.array([4, 1, 2, 3, 4, 0]))
    (path / "labels.csv").write_text(TABLE, encoding="utf-8")
    return path
