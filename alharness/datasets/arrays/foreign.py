"""Arrays in other files than .npy, and how to write them as such."""

from __future__ import annotations

import json
import shlex
import zipfile
from typing import TYPE_CHECKING

from alharness.api.importing import word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

READ = {
    ".parquet": "import numpy as np, pandas as pd; x = pd.read_parquet({path}).to_numpy('float32')",
    ".feather": "import numpy as np, pandas as pd; x = pd.read_feather({path}).to_numpy('float32')",
    ".csv": "import numpy as np, pandas as pd; x = pd.read_csv({path}).to_numpy('float32')",
    ".tsv": "import numpy as np, pandas as pd; x = pd.read_csv({path}, sep='\\t').to_numpy('float32')",
    ".pt": "import numpy as np, torch; x = torch.load({path}, map_location='cpu', weights_only=True).numpy()",
    ".pth": "import numpy as np, torch; x = torch.load({path}, map_location='cpu', weights_only=True).numpy()",
    ".h5": "import numpy as np, h5py; x = h5py.File({path})['NAME_OF_THE_ARRAY'][:]",
    ".hdf5": "import numpy as np, h5py; x = h5py.File({path})['NAME_OF_THE_ARRAY'][:]",
    ".mat": "import numpy as np, scipy.io; x = scipy.io.loadmat({path})['NAME_OF_THE_ARRAY']",
}
"""Ending -> Python that reads the file as `x`."""

NPZ = ".npz"
SHOWN = 3
LINE = 2**16


def find_foreign(folder: Path, found: Collection[str]) -> list[Path]:
    """Files that seem to hold arrays of modalities which have no .npy file, in alphabetical order."""
    paths = [path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_file()]
    return [
        path
        for path in paths
        if path.suffix.lower() in (*READ, NPZ)
        and path.stem not in (*found, "labels")
        and (path.suffix.lower() not in (".csv", ".tsv") or _is_numeric(path))
    ]


def advise(paths: list[Path]) -> str:
    """How to write the first of these files as .npy, one line of Python each; empty without files."""
    lines = [f"; found {word(path.name)}: write it as .npy with: {_command(path)}" for path in paths[:SHOWN]]
    more = f"; {len(paths) - SHOWN:,} more files are like these" if len(paths) > SHOWN else ""
    return "".join(lines) + more


def unread(paths: list[Path]) -> Iterator[str]:
    """A warning for each file that is not read, though it seems to hold a modality."""
    for path in paths:
        yield f"{word(path.name)} is not read; if it is a modality, write it as .npy with: {_command(path)}"


def _command(path: Path) -> str:
    target = json.dumps(str(path.with_suffix(".npy")), ensure_ascii=False)
    name = json.dumps(str(path), ensure_ascii=False)
    if path.suffix.lower() == NPZ:
        arrays = _members(path)
        if len(arrays) == 1:
            code = f"import numpy as np; x = np.load({name}); np.save({target}, x[x.files[0]])"
        else:
            folder = json.dumps(f"{path.parent}/", ensure_ascii=False)
            code = f"import numpy as np; x = np.load({name}); [np.save({folder} + k, x[k]) for k in x.files]"
    else:
        code = READ[path.suffix.lower()].replace("{path}", name).replace("'", '"') + f"; np.save({target}, x)"
    return f"python -c {shlex.quote(code)}"


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return []


def _is_numeric(path: Path) -> bool:
    """Whether a table is one of numbers: its second line is."""
    try:
        with path.open(encoding="utf-8") as file:
            file.readline(LINE)
            cells = file.readline(LINE).strip().replace("\t", ",").split(",")
        return bool([float(cell) for cell in cells])
    except (OSError, ValueError):
        return False
