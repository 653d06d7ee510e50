"""JavaScript run by the node that Playwright brings along."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mmvae_core.export.scripts import NETWORKS, script

ASK = """
const fs = require("fs"), asked = JSON.parse(fs.readFileSync(0, "utf8"))
const bytesOf = path => { const read = fs.readFileSync(path); return read.buffer.slice(read.byteOffset, read.byteOffset + read.length) }
const plain = value => ArrayBuffer.isView(value) ? Array.from(value) : Array.isArray(value) ? value.map(plain)
  : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)])) : value
const answer = value => fs.writeFileSync(1, JSON.stringify(plain(value)))
"""


def node() -> str:
    """The program's path; the test is skipped where there is none."""
    driver = pytest.importorskip("playwright._impl._driver")
    path = driver.compute_driver_executable()[0]
    if not Path(path).is_file():
        pytest.skip("Playwright brought no node along.")
    return str(path)


def told(body: str, asked: Any, folder: Path, names: tuple[str, ...] = NETWORKS) -> Any:
    """What a body of JavaScript answers by `answer(...)` to what it finds in `asked`."""
    path = folder / "asked.js"
    path.write_text(script(*names) + ASK + body, encoding="utf-8")
    done = subprocess.run(
        [node(), str(path)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
