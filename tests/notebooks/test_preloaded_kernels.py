"""A kernel that was forked with everything imported cannot be told from one that was started."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.notebook_kernel import NotebookKernel, start_kernel
from tests.notebooks.preloaded_kernels import preloaded_kernels

SEEN = {
    "the options of pandas": "import pandas\npandas.describe_option(_print_desc=False).casefold()",
    "the backend of matplotlib": "import matplotlib.pyplot\nmatplotlib.get_backend()",
    "how it handles signals": "import signal\n{n: str(signal.getsignal(n)).partition(' at ')[0] for n in range(1, 32)}",
    "how it handles warnings": "import warnings\nsorted(map(str, warnings.filters))",
    "where it finds modules": "import sys\nsys.path",
    "where it works": "import os\nos.getcwd()",
    "its variables": "import os\n{name for name in os.environ if not name.startswith('PYTEST_')}",
    "its process group": "import os\nos.getpgrp() == os.getpid()",
    "its names": "sorted(name for name in globals() if name[0] != '_')",
    "its threads": "import threading\nsorted(type(each).__name__ for each in threading.enumerate())",
    "that no test is in it": "import sys\n{name.partition('.')[0] for name in sys.modules} & {'pytest', 'tests'}",
}


@pytest.mark.thorough
def test_it_sees_what_any_kernel_sees(tmp_path: Path) -> None:
    def seen_by(asked: NotebookKernel) -> dict[str, str]:
        cells = [nbformat.v4.new_code_cell(code) for code in SEEN.values()]
        done = asked.run(nbformat.v4.new_notebook(cells=cells), tmp_path, {})
        return {name: cell.outputs[0].get("data", cell.outputs[0]) for name, cell in zip(SEEN, done.cells, strict=True)}

    with start_kernel() as started:
        expected = seen_by(started)
    with preloaded_kernels(), start_kernel() as forked:
        assert seen_by(forked) == expected
