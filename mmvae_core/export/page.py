"""A run as one page that opens by a double click: no Python, no server, no network.

The file holds the weights in half precision, some test items and the networks in JavaScript,
deflated and written in signs that every editor, mail and server leaves as they are.
"""

import json
import re
import zlib
from html import escape
from pathlib import Path

import numpy as np

from mmvae_core.errors import UsageError
from mmvae_core.export.arrays import Export, of_run
from mmvae_core.export.scripts import NETWORKS, WEB, script
from mmvae_core.export.values import stored_value
from mmvae_core.files import write_atomically
from mmvae_core.store.run import Run
from mmvae_core.store.study import Samples, Study

MOST_BYTES = 4_000_000
MOST_ITEMS = 60
SIGNS = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"&<')
"""91 signs that need no escape in a page: 13 bits stand in two of them."""
PAGE = ("looks.js", "pad.js", "strokes.js", "client.js", "page.js")
GLOSSARY = {
    "Modality": "One way of seeing the same thing: a picture, a word, a row of numbers.",
    "Latent z": "The numbers from which all modalities are made; what the model knows of the item.",
    "Posterior": "What the model believes of z once some modalities are shown: q(z | x_S), a "
    "distribution. Its width tells how much is left open.",
    "Prior": "What it believes of z before anything is shown.",
    "Subset": "Which modalities are shown. With M of them there are 2 to the power of M subsets.",
    "Draw": "One z picked at random from the posterior. Each tile is made from another draw.",
    "Temperature": "Scales the draws around the posterior's mean: 0 is the mean itself, 1 the "
    "posterior, 2 twice as far away.",
    "Narrower is not better": "A product of experts narrows with every modality, right or wrong; "
    "look at what is generated.",
}


def page(run: Run, study: Study) -> str:
    """The page's text: with as many test items as fit `MOST_BYTES`, at least one for each class.

    UsageError where that is more; RunError for a run that `arrays` cannot write.
    """
    export, samples = of_run(run, study), study.samples_of(run.config)
    if not chosen_items(samples, 1, 0):
        raise UsageError(
            f"No test item of {study.name} has all modalities, and the page of {run.id} shows items "
            "that have; choose a run of another study."
        )
    least = max(1, len(np.unique(samples.labels)))
    most = max(least, min(MOST_ITEMS, len(samples)))
    small = _written(run, study, export, samples, least)
    if len(small) > MOST_BYTES:
        raise UsageError(
            f"The page of {run.id} would have {len(small) / 1e6:.1f} MB, expected at most "
            f"{MOST_BYTES / 1e6:.0f} MB; choose a run with fewer weights."
        )
    large = _written(run, study, export, samples, most)
    each = max(1, (len(large) - len(small)) / max(1, most - least))
    count = min(most, least + int((MOST_BYTES - len(small)) / each))
    while len(large) > MOST_BYTES and count > least:
        large = _written(run, study, export, samples, count)
        count -= 1
    return (large if len(large) <= MOST_BYTES else small).decode()


def write_page(text: str, path: Path) -> Path:
    """Write the page; its path."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def chosen_items(samples: Samples, count: int, first: int) -> list[int]:
    """The item that the study opens with, then the first ones of every class in turn.

    Only items that lack no modality.
    """
    whole = np.ones(len(samples), bool)
    for name in samples.data:
        whole &= samples.has(name)
    of_class = [
        np.flatnonzero(whole & (samples.labels == one)) for one in np.unique(samples.labels)
    ]
    ranked = sorted((rank, row) for rows in of_class for rank, row in enumerate(rows.tolist()))
    rest = [row for _, row in ranked if row != first]
    start = [first] if first < len(samples) and whole[first] else []
    return [*start, *rest][:count]


def signs(data: bytes) -> str:
    """Bytes as text: 13 bits, the lowest first, in two of 91 signs, the lesser first."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    bits = np.concatenate([bits, np.zeros(-len(bits) % 13, np.uint8)])
    numbers = bits.reshape(-1, 13) @ (1 << np.arange(13))
    table = np.array([ord(sign) for sign in SIGNS], np.uint8)
    pairs = np.stack([table[numbers % 91], table[numbers // 91]], 1)
    return pairs.tobytes().decode("ascii")


def _packed(run: Run, study: Study, export: Export, samples: Samples, rows: list[int]) -> bytes:
    """Head, weights (high bytes, then low ones, which packs better) and items, deflated."""
    kinds = study.kinds(run.config)
    items = {name: stored_value(samples.data[name][rows], kind) for name, kind in kinds.items()}
    head = {
        "manifest": export.manifest,
        "numbers": len(export.numbers) // 2,
        "labels": samples.labels[rows].tolist(),
        "classes": list(study.about.classes),
        "items": {name: told for name, (told, _) in items.items()},
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    planes = np.frombuffer(export.numbers, np.uint8).reshape(-1, 2).T[::-1].tobytes()
    values = b"".join(part for _, part in items.values())
    pack = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)  # 1 % smaller than by default
    whole = len(text).to_bytes(4, "little") + text + planes + values
    return pack.compress(whole) + pack.flush()


def _written(run: Run, study: Study, export: Export, samples: Samples, count: int) -> bytes:
    opening = study.about.opening
    rows = chosen_items(samples, count, opening.item if opening else 0)
    data = _packed(run, study, export, samples, rows)
    config, terms = run.config, GLOSSARY.items()
    filled = {
        "title": escape(study.about.title),
        "model": escape(f"{config.aggregator.name}, {config.objective.name}".replace("_", " ")),
        "style": script("page.css"),
        "glossary": "".join(
            f"<div><dt>{escape(term)}</dt><dd>{escape(told)}</dd></div>" for term, told in terms
        ),
        "run": escape(run.id),
        "hash": str(export.manifest["weights"]),
        "items": str(len(rows)),
        "sources": escape(" ".join(f"{one}." for one in study.about.sources)),
        "bytes": str(len(data)),
        "data": signs(data),
        "networks": _lean(script(*NETWORKS, "tasks.js")),
        "code": _lean(script(*PAGE)),
    }
    text = (WEB / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda slot: filled[slot[1]], text).encode()


def _lean(code: str) -> str:
    """JavaScript without its indents and the lines that are comments."""
    lines = (line.strip() for line in code.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
