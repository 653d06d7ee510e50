"""Processor time of what a browser computes, in node: `python -m benchmarks.decoding [STUDY/RUN]`.

One draw and nine decoded into all modalities, an item's encoders, and the posteriors of all its
subsets: medians of 21, with products of matrices by four numbers at once and one by one.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from mmvae_core.export.arrays import of_run
from mmvae_core.export.scripts import NETWORKS, script
from mmvae_core.store.study import find_run, find_study

CODE = """
const buffer = require("fs").readFileSync(process.argv[2])
const model = readModel(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length))
const made = product
const timed = what => {
  const took = []
  for (let turn = 0; turn < 33; turn++) {
    const before = process.cpuUsage()
    what()
    const { user, system } = process.cpuUsage(before)
    if (turn > 11) took.push((user + system) / 1000)
  }
  return took.sort((one, other) => one - other)[10].toFixed(2)
}
const z = count => Float32Array.from({ length: count * model.latent }, (_, i) => Math.sin(i))
const item = model.modalities.map(one => new Float32Array(size(one.item)))
const features = item.map((value, index) => encode(model, index, value))
for (const [said, how] of [["by four", made], ["one by one", slowProduct]]) {
  product = how
  console.log(`| ${said} | ${timed(() => decode(model, z(1)))} | ${timed(() => decode(model, z(9)))} | ` +
    `${timed(() => item.forEach((value, index) => encode(model, index, value)))} | ` +
    `${timed(() => posteriors(model, features, allSubsets(item.length)))} |`)
}
"""


def main() -> None:
    """Print a table of milliseconds."""
    name = sys.argv[1] if len(sys.argv) > 1 else "digits/sum_pooling-masked"
    run = find_run(name)
    with tempfile.TemporaryDirectory() as folder:
        model, code = Path(folder, "model.bin"), Path(folder, "code.cjs")
        model.write_bytes(of_run(run, find_study(run.config.study)).packed())
        code.write_text(script(*NETWORKS) + CODE, encoding="utf-8")
        node = compute_driver_executable()[0]
        found = subprocess.run([node, code, model], capture_output=True, text=True, check=True)
    print(f"{name}; ms of one processor; load {os.getloadavg()[0]:.1f}")
    print("| products | one draw | nine draws | encoders | posteriors |\n|---|--:|--:|--:|--:|")
    print(found.stdout, end="")


if __name__ == "__main__":
    main()
