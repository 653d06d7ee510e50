"""A page that shows some test items of a study, whatever their kinds: what was read is what is seen."""

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from mmvae_core.config import RunConfig
from mmvae_core.config_files import load_config
from mmvae_core.errors import RunError
from mmvae_core.files import write_lines
from mmvae_core.modalities.categories import Categories
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.picture import Picture
from mmvae_core.store.samples import Samples
from mmvae_core.store.study import Study

FILE, ITEMS = "contact_sheet.html", 24
WIDE, HIGH, EDGE = 240, 60, 3.0
STYLE = (
    "body{font:15px system-ui;margin:2rem;color:#222;background:#fff}table{border-collapse:collapse}"
    "td,th{padding:.4rem .8rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:middle}"
    "img{image-rendering:pixelated;height:84px}small{color:#666}"
)


def write_sheet(study: Study) -> Path:
    """Write `contact_sheet.html` into the study's folder; its path."""
    config, samples = _config(study), study.samples()
    kinds = study.kinds(config)
    head = "".join(
        f"<th>{escape(name)}<br><small>{escape(kind.title)}, {escape(kind.modality.likelihood.name)}"
        f"</small></th>"
        for name, kind in kinds.items()
    )
    rows = [_row(study, samples, kinds, item) for item in range(min(ITEMS, len(samples)))]
    units = (
        "Bars are in training items' standard deviations, the edge is three. "
        if samples.units
        else ""
    )
    lines = [
        "<!doctype html><meta charset=utf-8>",
        f"<title>{escape(study.about.title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(study.about.title)}</h1>",
        f"<p>The first {len(rows)} of {len(samples):,} test items. {units}An empty place in a row of "
        "bars is a missing entry.</p>",
        f"<table><tr><th>item</th><th>class</th>{head}</tr>",
        *rows,
        "</table>",
    ]
    return write_lines(study.folder / FILE, lines)


def _config(study: Study) -> RunConfig:
    """What the modalities are: of the study's own configurations, else of one of its runs."""
    base = study.folder / "configs" / "poe-masked.toml"
    if base.is_file():
        return load_config(base)
    for run in study.runs():
        return run.config
    raise RunError(
        f"{study.folder} has neither {base.relative_to(study.folder)} nor a run; {study.anew}."
    )


def _row(study: Study, samples: Samples, kinds: dict[str, Kind], item: int) -> str:
    label, classes = int(samples.labels[item]), study.about.classes
    said = "none" if label < 0 else classes[label] if label < len(classes) else str(label)
    cells = "".join(f"<td>{_cell(kind, samples, name, item)}</td>" for name, kind in kinds.items())
    return f"<tr><th>{escape(samples.called(item))}</th><td>{escape(said)}</td>{cells}</tr>"


def _cell(kind: Kind, samples: Samples, name: str, item: int) -> str:
    if not samples.has(name)[item]:
        return "<small>not there</small>"
    value = samples.data[name][item]
    if isinstance(kind, Picture):
        return _picture(kind, value)
    if isinstance(kind, Categories):
        return escape(kind.texts(value[None])[0])
    numbers, units = kind.plain(value).astype(float), samples.units.get(name)
    if units is not None:
        numbers = (numbers - units[0]) / units[1]
    return _bars(numbers.ravel(), EDGE if units is not None else None)


def _picture(kind: Picture, value: np.ndarray) -> str:
    pixels, buffer = kind.stored(value), io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(
        buffer, "PNG"
    )
    return (
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )


def _bars(values: np.ndarray, edge: float | None) -> str:
    """One bar an entry, up and down from the middle, none where an entry is missing."""
    top = edge or max(float(np.nanmax(np.abs(values), initial=0)), 1e-9)
    wide = WIDE / len(values)
    bars = []
    for place, value in enumerate(values):
        if not np.isnan(value):
            tall = min(abs(value) / top, 1) * HIGH / 2
            at = HIGH / 2 - tall if value > 0 else HIGH / 2
            colour = "#e69f00" if value > 0 else "#0072b2"
            bars.append(
                f'<rect x="{place * wide:.2f}" y="{at:.2f}" width="{wide:.2f}" height="{tall:.2f}" '
                f'fill="{colour}"/>'
            )
    return (
        f'<svg width="{WIDE}" height="{HIGH}"><line x1="0" x2="{WIDE}" y1="{HIGH / 2}" '
        f'y2="{HIGH / 2}" stroke="#999"/>{"".join(bars)}</svg>'
    )
