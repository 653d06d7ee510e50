"""What strangers write into files and links is shown as it is: no tag, picture or link is made of it.

Every text of every file of a study, that its reader takes, is hostile at once; so is every parameter
of a link. Then each page is opened, and all that it sends to the browser is looked at.
"""

import ast
import importlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.errors import MMVAEError
from mmvae_core.store.fitted_priors import Settings, empty_prior, load_prior, save_priors
from mmvae_core.store.progress import FILE, progress_of, write_progress
from mmvae_core.store.records import PriorsCard, Progress
from mmvae_core.store.results import read_report
from mmvae_core.store.run import Run
from mmvae_core.store.samples import write_samples
from mmvae_core.store.study import Study
from tests.experiments import write_results
from tests.ui.test_messages import HOME, active
from tests.ui.test_pages import PAGES
from ui.results.result_tables import FIGURES, GIVEN

Open = Callable[..., AppTest]
EVIL = (
    "\"'><hostile onx=1>![](http://evil.test/a)[b](http://evil.test) :red[r] `c` "
    '</style><script>hostile()</script><a href="http://evil.test">'
)
NAMED = "<hostile onx=1>![](evil.test)[b](evil.test)'\""
"""As much of it as a folder may be called."""
KNOWN = {*FIGURES, *GIVEN, "kl_by_size", "singular_value"}
"""Figures of results, of which no chart is drawn under another name."""
RUN, SAME = f"{NAMED} run", "sum_pooling-masked"
TEXTS = {
    ("Markdown", "body"), ("Heading", "body"), ("Alert", "body"), ("Option", "content"),
    ("Progress", "text"), ("Expandable", "label"), ("Popover", "label"), ("Tab", "label"),
    ("Button", "label"), ("DownloadButton", "label"), ("ButtonGroup", "label"),
    ("Selectbox", "label"), ("MultiSelect", "label"), ("NumberInput", "label"),
    ("Checkbox", "label"), ("Slider", "label"), ("TextInput", "label"), ("Radio", "label"),
    ("FileUploader", "label"), ("CameraInput", "label"), ("PageLink", "label"),
}  # fmt: skip
"""What Streamlit draws as Markdown, by message and field."""
PLAIN = {
    ("Selectbox", "options"), ("Selectbox", "raw_value"), ("MultiSelect", "options"),
    ("MultiSelect", "raw_values"), ("ButtonGroup", "raw_values"), ("TextInput", "default"),
    ("TextInput", "value"), ("PlotlyChart", "alt"), ("ComponentInstance", "json_args"),
    ("BidiComponent", "json"),
}  # fmt: skip
"""What is shown as it is; what components are sent they draw as text, see the test below."""


class Tags(HTMLParser):
    """The tags and attributes that a browser finds in HTML."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(f"{name}={value}" for name, value in attrs if name == "href")]
        self.found += [name for name, _ in attrs]


def strings(message: Any) -> Iterator[tuple[str, str, str]]:
    """Every text that a message to the browser holds: of which message, which field, the text."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for one in values:
            if hasattr(one, "ListFields"):
                yield from strings(one)
            elif isinstance(one, str):
                yield message.DESCRIPTOR.name, field.name, one


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def harm(app: AppTest) -> list[str]:
    """All that the page sends in which something hostile could act, or of which nobody has thought."""
    found = []
    for node in nodes(app._tree):
        if getattr(node, "proto", None) is None or isinstance(node.proto, str):
            continue
        for kind, name, text in strings(node.proto):
            if "hostile" not in text and "evil" not in text:
                continue
            if (kind, name) == ("Html", "body"):
                tags = Tags(text).found
                bad = {"hostile", "onx", "script", "href=http://evil.test"} & set(tags)
            elif (kind, name) in TEXTS:
                bad = re.search(r"!\[|\]\(|<hostile|<a |:red\[", active(text))
            elif kind == "PlotlyChart" and name == "spec":
                bad = re.search(r"<a href|<hostile", " ".join(_texts(json.loads(text))))
            else:
                bad = (kind, name) not in PLAIN and not name.endswith(("id", "key"))
            if bad:
                found.append(f"{kind}.{name}: {bad} in {text[:3000]}")
    return found


@pytest.fixture(scope="module")
def root(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study `digits` with ids, notes, fitted priors, a training and results: all is hostile."""
    root = tmp_path_factory.mktemp("hostile")
    folder = root / "digits"
    shutil.copytree(checkpoints / "digits", folder)
    run = Run((folder / SAME).rename(folder / RUN))
    study = Study(folder)
    settings = Settings(components=2, width=8, layers=1)
    priors = {kind: empty_prior(run.config, kind, settings) for kind in ("mixture", "flow")}
    card = PriorsCard(
        components=2, width=8, layers=1, weights="", seed=0, items=9, held_out_items=9, held_out={}
    )  # fmt: skip
    save_priors(run, priors, card)
    before = study.samples()
    about = json.loads((folder / "study.json").read_text())
    about["notes"] = {"site": ["north", "south"]}
    (folder / "study.json").write_text(json.dumps(about))
    ids = tuple(f"{NAMED} item {item}" for item in range(len(before)))
    notes = {"site": np.arange(len(before)) % 2}
    write_samples(folder / "samples.npz", replace(before, ids=ids, notes=notes))
    shutil.copytree(folder / RUN, root / "runs" / RUN)
    write_progress(root / "runs" / RUN, Progress(state="failed", process=1, said="It failed."))
    write_results(root)
    files: dict[Path, Callable[[], object]] = {
        folder / "study.json": lambda: Study(folder).samples(),
        folder / "judge" / "card.json": lambda: Study(folder).judge_cards,
        root / "runs" / RUN / FILE: lambda: progress_of(root / "runs" / RUN),
        root / "results" / "linear.json": lambda: read_report(root / "results" / "linear.json"),
        **{
            folder / RUN / name: lambda: (
                Run(folder / RUN).report, Run(folder / RUN).model(), load_prior(Run(folder / RUN), "flow"),
            )
            for name in ("config.json", "card.json", "report.json", "priors.json")
        },
    }  # fmt: skip
    count = sum(poison(path, read) for path, read in files.items())
    assert count > 40, count
    return root


def poison(path: Path, read: Callable[[], object]) -> int:
    """Make every text of a JSON file hostile that its reader takes so; how many texts these are."""
    count, before = 0, path.read_text()
    for text in dict.fromkeys(_texts(json.loads(before))):
        if text in KNOWN:
            continue
        path.write_text(json.dumps(_with(json.loads(before), text, EVIL + text)))
        try:
            read()
        except MMVAEError:
            path.write_text(before)
        else:
            count, before = count + 1, path.read_text()
    return count


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from (text for pair in data.items() for one in pair for text in _texts(one))
    elif isinstance(data, list):
        yield from (text for one in data for text in _texts(one))


def _with(data: Any, text: str, other: str) -> Any:
    if isinstance(data, dict):
        return {_with(key, text, other): _with(one, text, other) for key, one in data.items()}
    if isinstance(data, list):
        return [_with(one, text, other) for one in data]
    return other if data == text and isinstance(data, str) else data


@pytest.mark.parametrize("page", [*PAGES, "train", "results"])
def test_nothing_in_a_file_acts(
    page: str, root: Path, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # where the folder `runs` is
    app = open_app(page, root=root, study="digits", run=RUN)
    assert not app.exception
    assert any("hostile" in text for node in nodes(app._tree) for text in _said(node))
    assert not harm(app)


def _said(node: Any) -> list[str]:
    proto = getattr(node, "proto", None)
    return [] if proto is None or isinstance(proto, str) else [one[2] for one in strings(proto)]


def parameters() -> list[str]:
    """The parameter of a link of every widget, wherever it is drawn; and those written by hand."""
    found = {"chosen", "set", "card", "answers", "room", "lit", "at", "own_word", "own_handwriting"}
    for path in [*HOME.glob("ui/**/*.py"), *HOME.glob("pages/*.py")]:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and any(one.arg == "bind" for one in call.keywords):
                (key,) = (one.value for one in call.keywords if one.arg == "key")
                found.add(_value(key, path))
    return sorted(found - {""})


def _value(key: ast.expr, path: Path) -> str:
    """What a key is: a text, or a name of the module or of one that it imports."""
    if isinstance(key, ast.Constant):
        return str(key.value)
    if isinstance(key, ast.Name | ast.Attribute):
        module: Any = importlib.import_module(
            ".".join(path.relative_to(HOME).with_suffix("").parts)
        )
        for part in ast.unparse(key).split("."):
            module = getattr(module, part, "")
        return module if isinstance(module, str) else ""
    return ""


@pytest.mark.parametrize("page", [*PAGES, "train", "results", "learn"])
def test_nothing_in_a_link_acts(page: str, open_app: Open) -> None:
    names = parameters()
    assert {"study", "run", "item", "mask", "seed", "world", "rival", "temperature"} <= set(names)
    app = open_app(page, **dict.fromkeys(names, EVIL))
    assert not app.exception
    assert not harm(app)
    kept = open_app(page, start="my own input", own_word=EVIL, mask="word")
    assert not kept.exception
    assert not harm(kept)


def test_components_draw_no_html_of_what_they_are_sent() -> None:
    for path in [*HOME.glob("ui/components/**/*.js"), *HOME.glob("mmvae_core/export/web/*.js")]:
        for line in re.findall(
            r".*(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write).*", path.read_text()
        ):
            assert re.search(
                r"""innerHTML = (["'])[^"'$`]*\1;?$|innerHTML = '[^'$]*';?$""", line.strip()
            ), line
