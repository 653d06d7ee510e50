"""The JavaScript of components, run by the node that comes with Playwright."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

READ = """
import { readFileSync } from "node:fs";
const asked = JSON.parse(readFileSync(0, "utf8"));
"""


def run(scripts: Sequence[Path], code: str, asked: Any, folder: Path) -> Any:
    """What `code` prints as JSON after the scripts, all one module; `asked` is what it is given."""
    module = folder / "asked.mjs"
    texts = [READ, *(path.read_text(encoding="utf-8") for path in scripts), code]
    module.write_text("\n".join(texts), encoding="utf-8")
    node = compute_driver_executable()[0]
    done = subprocess.run(
        [node, str(module)], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
