"""The page Start: its words, its doors, its picture's payload, and what it does without a file."""

import base64
import io
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.opening import make_picture
from mmvae_core.explore.plane import contour, normal_mixture
from mmvae_core.store.opening import FILE, Picture
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, Study
from tests.small import share
from tests.ui.conftest import APP, html_of
from tests.ui.studies import vector_items, vectors, write_study
from ui.shared.views import look
from ui.shell import frame
from ui.start import diagram, start_data, start_views

Open = Callable[..., AppTest]
STUDIES = [
    ("digits", "moe-masked"),
    ("small", "poe-mixture"),
    ("five", "private"),
    ("pair", "laplace"),
]


def doors(app: AppTest) -> list[tuple[str, dict[str, list[str]]]]:
    """Where the doors lead: path and query."""
    found = re.findall(r'href="([^"]*)"', html_of(app))
    parts = [urlsplit(one.replace("&amp;", "&")) for one in found]
    return [(one.path, parse_qs(one.query)) for one in parts]


def picture_of(app: AppTest) -> bool:
    """Whether the component was drawn."""
    return any("start_picture" in one.proto.id for one in app.get("bidi_component"))


def test_start_says_what_this_is_and_where_to_go(open_app: Open, with_openings: Path) -> None:
    app = open_app("start", with_openings)
    assert not app.exception and not app.error and not app.info
    assert app.title[0].value == frame.HEADINGS["Start"]
    html = html_of(app)
    for word in ("modalities", "Show me", "My own", "My data", "mmvae app --checkpoints"):
        assert word in html, word
    assert doors(app) == [
        ("masks", {"mask": ["handwriting", "word"]}),
        ("generate", {"start": ["my own input"], "mask": ["handwriting"]}),
    ]
    app = open_app("start", with_openings, study="five", run="poe", item="4", seed="2")
    chosen = {"study": ["five"], "run": ["poe"], "item": ["4"], "seed": ["2"]}
    assert doors(app) == [
        ("masks", {**chosen, "mask": ["part0", "part1"]}),
        ("generate", {**chosen, "start": ["my own input"]}),
    ]


def test_the_doors_open_what_they_say(open_app: Open, with_openings: Path) -> None:
    for path, query in doors(open_app("start", with_openings, item="5", seed="3")):
        app = open_app(path, with_openings, **query)
        assert not app.exception and not app.error and not app.warning
        here = app.session_state["_here"]
        assert (here.item, here.seed, list(here.shown)) == (5, 3, query["mask"])
        assert path != "generate" or any(
            "Drawing pad" in str(one.proto) for one in app.get("bidi_component")
        )


@pytest.mark.parametrize(("study", "run"), STUDIES)
def test_without_a_file_the_picture_is_made(open_app: Open, study: str, run: str) -> None:
    app = open_app("start", study=study, run=run, item="3")
    assert not app.exception and not app.error and not app.info
    assert "Item 3" in html_of(app)
    assert picture_of(app)


def test_a_stale_file_is_not_shown(
    open_app: Open, with_openings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    make = start_views.answers.model
    monkeypatch.setattr(start_views.answers, "model", lambda run: made.append(1) or make(run))
    open_app("start", with_openings, study="digits")
    assert not made
    open_app("start", with_openings, study="digits", item="18")
    assert made


def test_a_damaged_file_is_told_and_the_picture_is_made(
    open_app: Open, with_openings: Path, tmp_path: Path
) -> None:
    shutil.copytree(with_openings / "digits", tmp_path / "digits")
    (tmp_path / "digits" / FILE).write_bytes(b"no zip")
    app = open_app("start", tmp_path)
    assert not app.exception
    (error,) = (one.value for one in app.error)
    assert FILE in error and "`python -m mmvae_core opening digits`" in error
    assert picture_of(app)


def test_what_cannot_be_drawn_is_said_and_the_doors_stay(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    shutil.copytree(checkpoints / "small", tmp_path / "small")
    for path in tmp_path.glob("small/*/latents.npz"):
        path.unlink()
    write_study(
        tmp_path / "six",
        {**vars_of(tmp_path / "small"), "modalities": vectors(6)},
        vector_items(6, 40),
        Study(tmp_path / "small").about,
        {"poe": {"aggregator": {"name": "poe"}}},
    )
    for study, said in (("small", "has not been evaluated"), ("six", "6 modalities")):
        app = open_app("start", tmp_path, study=study)
        assert not app.exception and not app.error
        assert said in html_of(app) + "".join(one.value for one in app.info)
        assert not picture_of(app)
        assert len(doors(app)) == 2


def vars_of(folder: Path) -> dict[str, object]:
    """Settings of a made run, to make another one of."""
    from tests import small

    return small.settings(study=folder.name)


def test_the_first_paint_and_the_map_of_what_is_shipped_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(APP)!r}, default_timeout=60).run()\n"
        "assert not app.exception and not app.error and not app.info\n"
        "assert 'start_picture' in str([one.proto.id for one in app.get('bidi_component')])\n"
        "app.switch_page('pages/latent_space.py').run()\n"
        "assert not app.exception and not app.error and app.get('plotly_chart')\n"
        "print(*[one for one in ('torch', 'sklearn', 'scipy') if one in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, "--checkpoints", str(SHIPPED)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=APP.parent)
    assert done.stdout.split() == []


# the payload


@pytest.fixture(scope="module", params=STUDIES, ids=lambda one: one[0])
def made(request: pytest.FixtureRequest, checkpoints: Path) -> tuple[Picture, start_data.About]:
    study, run = Study(checkpoints / request.param[0]), Run(checkpoints / "/".join(request.param))
    names = run.config.names
    right = {"+".join(names[:-1]): {name: share(30, 40) for name in names}}
    about = start_data.About(
        [look(study, one) for one in run.config.modalities],
        {name: study.samples().data[name][3] for name in names},
        right,
    )
    return make_picture(study, run, 3, run.model()), about


def test_every_subset_says_its_own_numbers(made: tuple[Picture, start_data.About]) -> None:
    picture, about = made
    data = start_data.payload(picture, about)
    names = data["names"]
    for row, node in enumerate(data["nodes"]):
        kept = picture.masks[row]
        assert node["mask"] == "".join("1" if one else "0" for one in kept)
        assert node["rate"].split(" ± ")[0].replace(",", "") == f"{picture.rate[row]:.1f}".replace(
            "-0.0", "0.0"
        )
        assert node["width"] == f"{picture.width[row]:.2f}"
        bits = float(node["answers"].replace(",", ""))
        assert abs(bits * math.log(2) - picture.rate[row]) <= 0.5 * math.log(2) + 1e-5
        shown, hidden = node["label"].split("Shown: ")[1].split(". Made up: ")
        for name, one in zip(names, kept, strict=True):
            assert (name in shown.replace(" and", ",").split(", ")) == bool(one)
        assert f"Rate {node['rate']} nats, width {node['width']}." in hidden
    assert data["before"] == f"{picture.prior_width.item():.2f}"
    told = [node["said"] for node in data["nodes"] if "75 %" in node["said"]]
    assert len(told) == 1 and f"{names[-1]} 75 %" in told[0] and f"{names[0]} 75 %" not in told[0]


def test_every_cell_is_what_was_made(made: tuple[Picture, start_data.About]) -> None:
    """The sheet's cells are the arrays' draws, and the last is the item's own."""
    picture, about = made
    for modality, part in zip(
        about.looks, start_data.payload(picture, about)["parts"], strict=True
    ):
        draws, own = picture.draws[modality.name], about.own[modality.name]
        assert part["draws"] == len(draws) == (1 if len(about.looks) > 3 else 4)
        if part["words"]:
            assert len(part["words"]) == len(picture.masks) + 1
            assert all(len(words) == len(draws) for words in part["words"])
            assert len(set(part["words"][-1])) == 1
            continue
        png = base64.b64decode(part["sheet"].partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(png)))
        cells = np.split(pixels, len(picture.masks) + 1, 1)
        assert pixels.shape[0] / cells[0].shape[1] == pytest.approx(part["ratio"], abs=1e-3)
        if draws.dtype == np.uint8 and own.dtype == np.uint8:
            for row, cell in enumerate(cells[:-1]):
                wanted = np.concatenate(list(draws[:, row]), -1).transpose(1, 2, 0)
                np.testing.assert_array_equal(cell, np.broadcast_to(wanted, cell.shape))
            wanted = np.concatenate([own] * len(draws), -1).transpose(1, 2, 0)
            np.testing.assert_array_equal(cells[-1], np.broadcast_to(wanted, cells[-1].shape))


def test_all_that_the_plane_shows_lies_in_it(made: tuple[Picture, start_data.About]) -> None:
    picture, about = made
    plane = start_data.payload(picture, about)["plane"]
    assert len(plane["nodes"]) == len(picture.masks)
    for node in plane["nodes"]:
        left, top, width, height = node["box"]
        places = np.array([*node["draws"], (left, top), (left + width, top + height)])
        assert places.min() >= 0 and places.max() <= plane["size"]
        spots = np.array(re.findall(r"-?[\d.]+", node["outline"]), float).reshape(-1, 2)
        np.testing.assert_allclose([*spots.min(0), *np.ptp(spots, 0)], node["box"], atol=0.21)
    dots = sum(len(d.split("M")) - 1 for _, d in plane["dots"])
    assert dots == len(picture.others)


def test_segments_are_joined_to_closed_lines() -> None:
    """Two normals far apart have two rings; a ring's every point has exactly two neighbours."""
    means, covariance = np.array([[-4.0, 0], [4, 0]]), np.tile(np.eye(2), (2, 1, 1))
    density = normal_mixture(np.array([0.5, 0.5]), means, covariance)
    segments = contour(density, density.level(0.9))
    loops = start_data.loops_of(segments)
    assert len(loops) == 2
    assert sum(len(loop) - 1 for loop in loops) == len(segments)
    for loop in loops:
        np.testing.assert_array_equal(loop[0], loop[-1])
        assert len({tuple(point) for point in loop[1:]}) == len(loop) - 1
        radius = np.linalg.norm(loop - means[int(loop[0, 0] > 0)], axis=1)
        assert np.ptp(radius) < 0.15


# the diagram


MASKS = [(True, False), (False, True), (True, True), (False, False)]


@pytest.mark.parametrize("kept", MASKS)
def test_every_part_of_the_diagram_says_and_leads_where_the_mask_has_it(
    made: tuple[Picture, start_data.About], kept: tuple[bool, bool]
) -> None:
    """Read as a browser does; what its pills turn, `data-says` and `data-ways`, is both of it."""
    looks, own = made[1].looks, made[1].own
    mask = [kept[index % 2] for index in range(len(looks))]
    shown = [look.name for look, one in zip(looks, mask, strict=True) if one]
    pages = {name: place for place, name in enumerate(frame.PAGES)}
    names = list(pages)
    html = diagram.diagram(diagram.Parts(looks, own, mask, "PoE <&>", "bound <&>"), pages)
    assert "PoE &lt;&amp;&gt;" in html and "<&>" not in html
    parts = re.findall(r"<button (.*?)>(.*?)</button>", html)
    found = [(dict(re.findall(r'([\w-]+)="(.*?)"', head)), body) for head, body in parts]
    ways = [names[int(attributes["data-way"])] for attributes, _ in found]
    wanted = [("masks", "order", "traverse" if one else "generate") for one in mask]
    assert ways == [*(way for row in wanted for way in row), "fusion", "latent_space", "compare"]
    for attributes, body in found:
        index = attributes.get("data-modality")
        if index is None:
            continue
        one, text = mask[int(index)], re.sub(r"<[^>]*>", "", body)
        assert ("off" in attributes["class"].split()) == (not one)
        if "data-says" not in attributes:
            assert attributes["aria-label"] == f"{looks[int(index)].name}: Masks"
            continue
        at = 0 if one else 1
        kind = attributes["class"].split()[1]
        assert text == f"{kind} of {looks[int(index)].name}{attributes['data-says'].split('|')[at]}"
        assert attributes["data-ways"].split("|")[at] == attributes["data-way"]
        assert len(set(attributes["data-says"].split("|"))) == 2
    text = re.sub(r"<[^>]*>", "", html)
    assert f"q(z | {', '.join(shown) or 'nothing'})what is believed" in text


def test_a_part_of_what_the_item_lacks_says_so(made: tuple[Picture, start_data.About]) -> None:
    looks, pages = made[1].looks, {name: place for place, name in enumerate(frame.PAGES)}
    html = diagram.diagram(diagram.Parts(looks, {}, [True] * len(looks), "PoE", "bound"), pages)
    assert html.count("the item lacks it") == len(looks)
