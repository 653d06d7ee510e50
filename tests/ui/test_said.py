"""What pages say is what the arrays hold: on studies where no two quantities coincide."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest

from mmvae_core.evaluation.coherence import share
from mmvae_core.explore.inference import Verdict, generate
from mmvae_core.explore.lattice import make_lattice, masks_near
from mmvae_core.modalities.kinds import kinds_of
from mmvae_core.store.records import Winners
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from tests.small import made_report
from tests.ui.conftest import html_of
from ui.compare import compare_views
from ui.conflict import conflict_views
from ui.draw import tables
from ui.kinds.views import view_of
from ui.latent_space import chosen_views
from ui.shared import lattice_cards, views
from ui.shell import answers, state
from ui.shell.state import Here

Open = Callable[..., AppTest]


def here_of(
    checkpoints: Path, run: str, item: int = 3, mask: str = "", seed: int = 0
) -> tuple[Here, int]:
    """What a visitor looks at, and the row of the mask in the stored arrays."""
    found = Run(checkpoints / run)
    names = found.config.names
    shown = tuple(name in mask.split("+") for name in names)
    row = next(i for i, one in enumerate(found.latents().masks) if tuple(one) == shown)
    return Here(Study(found.folder.parent), found, item, shown, seed), row


# the map


def test_the_map_tells_width_and_rate_of_what_is_shown(open_app: Open, checkpoints: Path) -> None:
    here, row = here_of(checkpoints, "digits/moe-masked", mask="word")
    app = open_app(study="digits", run="moe-masked", mask="word")
    latents = here.run.latents()
    width, rate = latents.stddev[row].mean(), latents.rate[row].mean()
    assert f"Mean width {width:.2f}, mean rate {rate:.1f} nats." in (
        app.get("plotly_chart")[0].proto.alt
    )
    assert f"{width:.2f}" != f"{rate:.2f}"


@pytest.mark.parametrize(
    ("colour", "array"),
    [
        ("rate", "rate"),
        ("log-likelihood", "log_likelihood"),
        ("reconstruction error", "distortion"),
    ],
)
def test_the_map_colours_are_those_of_the_array(
    colour: str, array: str, open_app: Open, checkpoints: Path
) -> None:
    here, row = here_of(checkpoints, "small/poe-mixture", mask="picture")
    app = open_app(study="small", run="poe-mixture", mask="picture", colour=colour)
    figure = figure_of(app)
    found = {
        int(item): float(value)
        for trace in figure["data"]
        if isinstance(trace.get("customdata"), list | dict)
        and not isinstance(trace["marker"].get("color"), str | None)
        for item, value in zip(
            plain(trace["customdata"]), plain(trace["marker"]["color"]), strict=True
        )
    }
    expected = getattr(here.run.latents(), array)[row]
    assert [found[item] for item in range(len(expected))] == pytest.approx(expected.tolist())


def figure_of(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def plain(values: Any) -> list[float]:
    """A list, as it is or as plotly packs it."""
    if isinstance(values, list):
        return values
    return np.frombuffer(b64decode(values["bdata"]), values["dtype"]).tolist()


def test_what_is_said_of_the_chosen_is_of_them(open_app: Open, checkpoints: Path) -> None:
    here, row = here_of(checkpoints, "digits/moe-masked", mask="word")
    app = open_app(study="digits", run="moe-masked", mask="word")
    ids = [18, 21, 38]
    app.session_state["_chosen"] = {"digits": tuple(ids)}
    html = html_of(app.run())
    rates = here.run.latents().rate[row]
    mean = f"{rates[ids].mean():.1f}"
    assert mean != f"{rates.mean():.1f}"
    assert f"<dt>Mean rate</dt><dd>{mean} <small>nats" in html
    (counted,) = re.findall(r'<p class="plain">(.{0,4000}?)</p><|$', html)[:1]
    counts = re.findall(r">(\w+)</span>(\d+) &emsp;", html)
    assert counts == [("eight", "2"), ("one", "1")], counted


def test_an_export_is_of_what_is_shown(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, row = here_of(checkpoints, "digits/moe-masked", mask="word")
    made: list[Any] = []
    stub = SimpleNamespace(
        container=lambda **_: nullcontext(),
        download_button=lambda _, make, *a, **k: made.append(make),
    )
    monkeypatch.setattr(chosen_views, "st", stub)
    monkeypatch.setattr(chosen_views.views, "source", lambda *_: None)
    monkeypatch.setattr(state.st, "session_state", {"_chosen": {"digits": (4, 17)}})
    latents = here.run.latents()
    chosen_views.downloads(here, latents, row, "PCA")
    table = made[0].__self__
    for name, array in (("mean", latents.mean), ("scale", latents.stddev), ("where", latents.pca)):
        np.testing.assert_array_equal(getattr(table, name), array[row][[4, 17]], err_msg=name)
    assert table.labels.tolist() == [4, 7]
    assert (table.mask, table.names) == (here.mask, here.names)


# verdicts, sides, cards


def test_a_verdict_has_the_interval_of_the_class_it_names(checkpoints: Path) -> None:
    study = Study(checkpoints / "digits")
    verdict = Verdict(np.array([1, 1, 1, 8, 2, 1, 2]), np.array([True] * 3 + [False] * 4))
    for truth, name, right in ((2, "two", 2), (None, "one", 4), (5, "five", 0)):
        low, high = binomtest(right, 7).proportion_ci(method="wilson")
        said = views.verdict_text(verdict, study, truth)
        assert said.startswith(f"{right} of 7 judged {name} ({low:.2f} to {high:.2f}); else ")
        assert said.endswith("; spelt 3 of 7.")


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_conflict_gives_each_side_its_own_share(mirrored: bool) -> None:
    won = Winners(first=share(20, 40), second=share(12, 40), neither=share(8, 40))
    a, b = ("0.30", "0.50") if mirrored else ("0.50", "0.30")
    html = conflict_views._split(won, mirrored)
    assert re.findall(r"<span>(\w+) ([\d.]+) ", html) == [("A", a), ("B", b), ("neither", "0.20")]


def test_a_conflict_counts_the_draws_of_each_side() -> None:
    said = conflict_views.judged(np.array([1, 1, 1, 1, 2, 2, 3]), 1, 2)
    found = re.findall(r"(as \w+) (\d) of 7 \(([\d.]+) to ([\d.]+)\)", said)
    for (name, hits, low, high), (expected, count) in zip(
        found, (("as A", 4), ("as B", 2), ("as neither", 1)), strict=True
    ):
        ends = binomtest(count, 7).proportion_ci(method="wilson")
        assert (name, int(hits)) == (expected, count)
        assert (low, high) == tuple(f"{end:.2f}" for end in ends)


def test_a_conflict_score_stands_among_matched_and_swapped_ones(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    chart = SimpleNamespace(plotly_chart=lambda figure, alt, **_: told.update(alt=alt))
    monkeypatch.setattr(conflict_views, "st", chart)
    monkeypatch.setattr(conflict_views.views, "facts", lambda facts: told.update(facts=facts))
    monkeypatch.setattr(conflict_views.state, "is_dark", lambda: False)
    here, _ = here_of(checkpoints, "five/poe")
    clash = made_report(("b", "a"), 0).conflict.given["b vs a"]
    conflict_views.place(here, 4.25, None, clash)  # matched 1 to 5, swapped 3 to 11
    assert told["facts"] == [
        ("Conflict score of this pair", "4.2", "nats, exact"),
        ("Median, both sides from one item", "3.0", "5 to 95 %: 1.0 to 5.0"),
        ("Median, both sides from two classes", "7.0", "5 to 95 %: 3.0 to 11.0"),
    ]
    assert "from one item: median 3.0, 5 to 95 % 1.0 to 5.0" in told["alt"]


def test_a_card_says_rate_and_width_of_its_subset(checkpoints: Path) -> None:
    run, study = Run(checkpoints / "five" / "poe"), Study(checkpoints / "five")
    names, values = run.config.names, study.samples().item(5)
    found = make_lattice(run.model(), values, np.array(masks_near((True,) * 5)), 2, 0)
    kinds = kinds_of(run.config, {})
    about = lattice_cards.About([view_of(kinds[name]) for name in names], {}, None)
    titles = ["+".join(np.array(names)[mask]) or "nothing" for mask in found.masks]
    payload = lattice_cards.payload(found, titles, about)
    for row, node in enumerate(payload["nodes"]):
        rate, width = f"{abs(float(found.rate.value[row])):.1f}", f"{found.width[row]:.2f}"
        assert (node["rate"], node["width"]) == (rate, width)
        assert node["label"].startswith(f"{titles[row]}: rate {rate} nats, width {width}")
    for lower, upper, modality, _, _, change in payload["edges"]:
        joined = found.masks[lower].copy()
        joined[modality] = True
        assert (found.masks[upper] == joined).all() and not found.masks[lower][modality]
        rise = float(found.rate.value[upper] - found.rate.value[lower])
        assert float(change) == pytest.approx(rise, abs=0.051), "to one digit"
    assert len(payload["edges"]) == 5 * 2**4


# what is kept


def test_a_kept_lattice_is_of_its_item_and_seed(checkpoints: Path) -> None:
    here, _ = here_of(checkpoints, "small/poe-mixture", mask="picture")

    def kept(item: int, seed: int) -> Any:
        return answers.lattice(here.run, here.study, item, here.mask, 2, seed, None)

    first, other, noise = kept(3, 0), kept(4, 0), kept(3, 1)
    values = {item: here.study.samples().item(item) for item in (3, 4)}
    for found, item in ((first, 3), (other, 4)):
        own = make_lattice(here.run.model(), values[item], found.masks, 2, 0)
        np.testing.assert_array_equal(found.rate.value.numpy(), own.rate.value.numpy())
    assert (first.rate.value[1:] != other.rate.value[1:]).all()
    assert (first.latents != noise.latents).any()


def test_the_width_of_a_mixture_prior_is_its_own(checkpoints: Path) -> None:
    run = Run(checkpoints / "five" / "mopoe")
    log_weights, loc, scale = (one.double().numpy() for one in run.model().prior().parameters())
    weights = np.exp(log_weights)[:, None]
    second = (weights * (scale**2 + loc**2)).sum(0)
    expected = np.sqrt(second - (weights * loc).sum(0) ** 2)
    assert (np.abs(expected - 1) > 0.01).any()
    np.testing.assert_allclose(answers.prior_scale(run), expected, rtol=1e-5)


def test_compare_follows_the_seed_and_says_each_figure_in_its_place(checkpoints: Path) -> None:
    runs = [Run(checkpoints / "small" / name) for name in ("poe-mixture", "sum_pooling-masked")]
    made: dict[int, list[compare_views.Rendering]] = {}
    for seed in (5, 6):
        here, _ = here_of(checkpoints, "small/poe-mixture", mask="picture", seed=seed)
        given: Mapping[str, np.ndarray] = {"picture": here.study.samples().data["picture"][3]}
        made[seed] = compare_views.make(here, runs, 4)
        for one in made[seed]:
            own = generate(one.run.model(), given, 4, seed)
            np.testing.assert_array_equal(one.drawn.latents, own.latents)
            row = compare_views._item_row(here, 0, one)
            assert (row.rate, row.width) == (own.rate, own.width)
    for one, other in zip(made[5], made[6], strict=True):
        assert (one.drawn.latents != other.drawn.latents).all()
        bounds = [answers.likelihood(one.run, given, seed)[0] for seed in (5, 6)]
        assert bounds[0] != bounds[1]


def test_the_nearest_items_are_sought_under_what_is_given(
    open_app: Open, checkpoints: Path
) -> None:
    here, row = here_of(checkpoints, "digits/moe-masked", mask="handwriting")
    app = open_app("generate", study="digits", run="moe-masked", item=3, mask="handwriting")
    assert not app.exception
    means = here.run.latents().mean[row]
    expected = np.sqrt(np.square(means - means[3]).sum(-1)).argsort(kind="stable")[:8]
    found = [int(one) for one in re.findall(r'data-item="(\d+)"', html_of(app))]
    assert found == expected.tolist()


def test_the_shares_stand_under_their_modalities(open_app: Open, checkpoints: Path) -> None:
    here, _ = here_of(checkpoints, "five/poe", item=5)
    masks = np.array(masks_near((True,) * 5))
    made = make_lattice(here.run.model(), here.study.samples().item(5), masks, 2, 0)
    assert made.share is not None
    share = made.share.value.tolist()
    html = html_of(open_app("masks", study="five", run="poe", item=5))
    found = re.findall(r"\d (part\d) <b>(-?[\d.]+)</b>", html)
    assert found == [(name, tables.nats(one)) for name, one in zip(here.names, share, strict=True)]
    assert len({value for _, value in found}) > 2
