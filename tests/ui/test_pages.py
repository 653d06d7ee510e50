"""Every page without a browser: it draws, follows the mask and the link, and errs plainly."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mmvae_core.config import ModalityConfig
from mmvae_core.explore import finding
from mmvae_core.explore.inference import Verdict
from mmvae_core.modalities import own_input
from mmvae_core.store.run import Run
from mmvae_core.store.study import Samples, Study
from tests import small
from tests.ui.conftest import html_of
from tests.ui.studies import FIVE_RUNS, PAIR_RUNS, about, vector_items, vectors, write_study
from ui.shared import views
from ui.shell import answers, frame

PAGES = (
    "start",
    "latent_space",
    "masks",
    "compare",
    "traverse",
    "generate",
    "fusion",
    "order",
    "conflict",
)
Open = Callable[..., AppTest]


@pytest.mark.parametrize("study", ["digits", "small"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_without_an_error(open_app: Open, page: str, study: str) -> None:
    app = open_app(page, study=study)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert app.title[0].value


@pytest.mark.parametrize("page", PAGES)
def test_the_empty_mask_and_a_mixture_draw_too(open_app: Open, page: str) -> None:
    app = open_app(page, study="digits", run="moe-masked", mask="")
    assert not app.exception
    assert app.session_state["_here"].subset == "nothing"


def test_the_mask_changes_what_is_said_and_drawn(open_app: Open) -> None:
    app = open_app("masks")
    before = html_of(app)
    assert "handwriting+photo+word</th>" in before.replace("<wbr>", "")
    app.button_group(key="mask").set_value(["word"]).run()
    after = html_of(app)
    assert not app.exception
    assert after.count("not shown, generated") == 2
    assert before.count("not shown, generated") == 0
    assert app.session_state["_here"].mask == (False, False, True)


@pytest.mark.parametrize("mask", ["", None])
@pytest.mark.parametrize(
    ("study", "run"),
    [*(("five", name) for name in FIVE_RUNS), *(("pair", name) for name in PAIR_RUNS)],
)
def test_masks_draws_the_lattice_of_every_kind_of_run(
    open_app: Open, study: str, run: str, mask: str | None
) -> None:
    app = open_app("masks", study=study, run=run, **({} if mask is None else {"mask": mask}))
    assert not app.exception
    assert not app.error
    html = html_of(app)
    assert "Shapley shares of the rates" in html
    assert html.count("</th><td") == {"five": 32, "pair": 4}[study]
    assert ("prior p(z)" in " ".join(info.value for info in app.info)) == (mask == "")


def test_of_many_modalities_masks_shows_the_nearest(open_app: Open, tmp_path: Path) -> None:
    items = vector_items(6, 12)
    write_study(
        tmp_path / "six",
        small.settings(modalities=vectors(6)),
        Samples(items.data, items.labels),
        about("Six"),
        {"poe": {"aggregator": {"name": "poe"}}},
    )
    app = open_app("masks", root=tmp_path, mask=["part0", "part3"])
    assert not app.exception
    html = html_of(app)
    assert "7 of 64 subsets, those nearest to the mask" in html
    assert "Shapley" not in html
    assert html.count("</th><td") == 7


def test_a_run_that_is_not_evaluated_has_a_lattice_without_a_map(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    (root / "digits" / "poe-mixture" / "latents.npz").unlink()
    app = open_app("masks", root=root, study="digits", run="poe-mixture")
    assert not app.exception
    assert "No posteriors are drawn" in app.info[0].value
    assert "Shapley shares" in html_of(app)


@pytest.mark.parametrize("page", ["masks", "compare", "generate"])
@pytest.mark.parametrize("run", list(PAIR_RUNS))
def test_nothing_shown_is_drawn_from_any_prior(open_app: Open, page: str, run: str) -> None:
    app = open_app(page, study="pair", run=run, mask="")
    assert not app.exception
    assert not app.error


def test_the_empty_mask_says_that_it_shows_the_prior(open_app: Open) -> None:
    app = open_app("masks", mask="")
    assert any("prior" in info.value for info in app.info)


def test_a_link_sets_every_choice_and_survives_a_page_switch(open_app: Open) -> None:
    app = open_app("masks", study="digits", run="poe-mixture", item="7", mask="photo", seed="5")
    here = app.session_state["_here"]
    assert (here.study.name, here.run.folder.name, here.item) == ("digits", "poe-mixture", 7)
    assert (here.shown, here.seed) == (("photo",), 5)
    app.switch_page("pages/generate.py").run()
    assert app.session_state["_here"] == here
    assert "poe-mixture" in app.query_params["run"]
    assert "photo" in app.query_params["mask"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run", "nonsense"),
        ("item", "40"),
        ("item", "-1"),
        ("item", "x"),
        ("seed", "1e5"),
        ("mask", "smell"),
        ("study", "../digits"),
    ],
)
def test_a_link_with_nonsense_opens_with_a_message(open_app: Open, key: str, value: str) -> None:
    app = open_app(**{key: value})
    assert not app.exception
    assert any(key in warning.value for warning in app.warning)
    assert app.session_state["_here"].item == 0


def test_another_item_is_another_one(open_app: Open) -> None:
    app = open_app("masks", item="3")
    app.button[0].click().run()
    assert not app.exception
    assert app.session_state["_here"].item != 3


def test_the_same_seed_draws_the_same_pictures(open_app: Open) -> None:
    first, second = (html_of(open_app("generate", mask="word", seed="3")) for _ in range(2))
    assert first == second
    assert first != html_of(open_app("generate", mask="word", seed="4"))


def test_compare_asks_for_two_runs_and_keeps_those_of_the_link(open_app: Open) -> None:
    app = open_app("compare", runs=["poe-mixture"])
    assert "at least two" in app.info[0].value
    app.multiselect(key="runs").set_value(["poe-mixture", "moe-masked"]).run()
    assert not app.exception
    assert "★" in html_of(app)


def test_a_bad_upload_is_one_sentence(open_app: Open) -> None:
    app = open_app("generate", start="my own input", way_handwriting="upload")
    app.file_uploader[0].set_value(("x.png", b"not a picture", "image/png")).run()
    assert not app.exception
    assert "not a readable PNG or JPEG" in app.error[0].value


def test_an_upload_is_understood_once(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    decode = own_input._decode
    monkeypatch.setattr(own_input, "_decode", lambda data: read.append(len(data)) or decode(data))
    app = open_app("generate", start="my own input", way_handwriting="upload")
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(tmp_path / "one.png")
    pictures = (b"not a picture", (tmp_path / "one.png").read_bytes())
    for count, picture in enumerate(pictures, 1):
        app.file_uploader[0].set_value(("one.png", picture, "image/png")).run()
        app.number_input(key="seed").set_value(count).run()
        assert not app.exception
        assert len(app.error) == (picture == pictures[0])
        assert read == [len(one) for one in pictures[:count]]


def test_an_upload_and_a_word_are_shown_as_the_model_sees_them(
    open_app: Open, tmp_path: Path
) -> None:
    drawn = np.full((60, 60), 255, np.uint8)
    drawn[10:50, 28:33] = 0
    Image.fromarray(drawn).save(tmp_path / "one.png")
    app = open_app("generate", start="my own input", way_handwriting="upload")
    app.file_uploader[0].set_value(("one.png", (tmp_path / "one.png").read_bytes(), "image/png"))
    app.text_input[0].set_value("One").run()
    assert not app.exception
    assert not app.error
    html = html_of(app)
    assert "What the model sees" in html
    assert "handwriting as given" in html
    assert 'aria-label="one"' in html


def test_a_word_with_other_signs_is_one_sentence(open_app: Open) -> None:
    app = open_app("generate", start="my own input")
    app.text_input[0].set_value("7up!").run()
    assert not app.exception
    assert "leave the others out" in app.error[0].value


def test_missing_checkpoints_are_one_sentence(open_app: Open, tmp_path: Path) -> None:
    app = open_app(root=tmp_path)
    assert not app.exception
    assert "no trained run" in app.error[0].value


@pytest.mark.parametrize("name", ["latents.npz", "config.json", "card.json"])
def test_a_damaged_run_is_one_sentence(
    open_app: Open, checkpoints: Path, tmp_path: Path, name: str
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    (root / "digits" / "sum_pooling-masked" / name).write_bytes(b"{")
    app = open_app(root=root, study="digits", run="sum_pooling-masked")
    assert not app.exception
    assert name in app.error[0].value


def test_a_run_without_a_report_still_opens(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    for report in root.glob("*/*/report.json"):
        report.unlink()
    for page in PAGES:
        app = open_app(page, root=root)
        assert not app.exception
        assert not app.error


def test_a_run_that_is_not_evaluated_says_how_to_do_it(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    (root / "digits" / "moe-masked" / "latents.npz").unlink()
    app = open_app(root=root, run="moe-masked")
    assert not app.exception
    folder = root / "digits" / "moe-masked"  # not a shipped one, so a command takes its folder
    assert f"evaluate {folder} --save" in app.error[0].value
    assert not open_app("generate", root=root, run="moe-masked").error


@pytest.mark.parametrize("study", ["digits", "small"])
@pytest.mark.parametrize(
    "query",
    [
        {"plane": "two latents", "scale": "posterior"},
        {"plane": "three items", "third": "9"},
        {"plane": "two items", "at": "0.25,0"},
        {"plane": "principal axes", "at": "1,-1"},
    ],
)
def test_every_plane_draws_in_every_study(open_app: Open, study: str, query: dict) -> None:
    app = open_app("traverse", study=study, mask="", **query)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert "change: root mean square" in html_of(app)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plane", "x"),
        ("scale", "x"),
        ("at", "2,0"),
        ("at", "1"),
        ("by", "smell"),
        ("count", "5"),
        ("temperature", "-1"),
        ("temperature", "nan"),
        ("sort", "x"),
        ("show", "x"),
        ("make", "x"),
    ],
)
def test_a_page_tells_what_of_its_link_means_nothing(open_app: Open, key: str, value: str) -> None:
    page = "traverse" if key in ("plane", "scale", "at", "by") else "generate"
    app = open_app(page, **{key: value})
    assert not app.exception
    assert any(key in warning.value for warning in app.warning)


def test_own_values_of_every_kind_are_given(open_app: Open) -> None:
    app = open_app("generate", study="small", start="my own input", own_text="cab")
    assert not app.exception
    assert not app.error
    html = html_of(app)
    assert "numbers as given" in html
    assert 'aria-label="cab"' in html
    assert "picture <span" in html  # generated, as nothing has been drawn


def test_what_is_given_is_ranked_among_the_stored_likelihoods(
    open_app: Open, checkpoints: Path
) -> None:
    run = Run(checkpoints / "digits" / "moe-masked")
    html = html_of(open_app("generate", run="moe-masked", mask="word", item="5"))
    (percent, low, high) = re.findall(
        r"Likelier than</dt><dd>(\d+) % <small>of test items \((\d+) to (\d+) %\)", html
    )[0]
    assert int(low) <= int(percent) <= int(high)
    (value,) = re.findall(r"log p\(word\) = (-?[0-9.]+) nats, among 40 test items", html)
    marginal = run.latents().marginal
    assert marginal is not None
    below = (marginal[3] <= float(value)).mean()
    assert 100 * below == pytest.approx(int(percent), abs=3)
    assert "estimate of 8 draws" in html


@pytest.mark.parametrize("read", [2, 3])
def test_it_is_said_where_a_judge_reads_another_class_than_is_made_of_it(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    """Of what is made most draws are a 3, of however many modalities."""

    def verdict(study: Study, modality: ModalityConfig, values: np.ndarray) -> Verdict:
        labels = np.full(len(values), 3)
        labels[:1] = read if modality.name == "handwriting" else 7
        return Verdict(labels)

    monkeypatch.setattr(answers, "verdict", verdict)
    monkeypatch.setattr(views, "truth_of", lambda here, given: None)  # as of one's own drawing
    app = open_app("generate", run="moe-masked", mask="handwriting", item="5")
    assert not app.exception
    said = [one.value for one in app.warning if "The judge reads" in one.value]
    if read == 3:
        assert not said
    else:
        assert "handwriting as two, and the model takes all for three" in said[0]


def test_what_is_neither_given_nor_generated_is_missing(open_app: Open) -> None:
    app = open_app("generate", mask="word", make="photo")
    html = html_of(app)
    assert "neither given nor generated: handwriting" in html
    assert "photo <span" in html
    assert 'data-made="handwriting" hidden' in html  # for a browser to fill once it is wanted


def test_the_temperature_and_the_mean_change_the_pictures(open_app: Open) -> None:
    pages = [
        html_of(open_app("generate", mask="word", **query))
        for query in ({}, {"temperature": "0.5"}, {"show": "the mean"})
    ]
    assert len(set(pages)) == 3
    assert "1 value of photo" in pages[2]


def test_new_noise_is_another_seed(open_app: Open) -> None:
    app = open_app("generate", mask="word")
    button = next(one for one in app.button if one.label == "New noise")
    button.click().run()
    assert app.session_state["_here"].seed != 0
    assert str(app.session_state["_here"].seed) in app.query_params["seed"]


def test_draws_in_the_judges_order_are_the_same_draws(open_app: Open) -> None:
    drawn, sure = (
        re.findall(
            r'<span style="opacity[^/]*', html_of(open_app("generate", mask="photo", **query))
        )
        for query in ({}, {"sort": "surest first"})
    )
    assert drawn != sure
    assert sorted(drawn) == sorted(sure)


def test_an_item_is_found_by_class_and_by_what_a_run_makes_of_it(
    open_app: Open, checkpoints: Path
) -> None:
    app = open_app("masks", study="digits", run="moe-masked")
    study = Study(checkpoints / "digits")
    labels, run = study.samples().labels, Run(study.folder / "moe-masked")
    every = run.latents().log_likelihood
    assert every is not None
    app.selectbox(key="find_class").set_value("three").run()
    app.selectbox(key="find_way").set_value(finding.UNLIKELY).run()
    threes = np.flatnonzero(labels == 3)
    order = threes[np.argsort(every[-1][threes], kind="stable")]
    app.button(key="find_First").click().run()
    assert app.session_state["_here"].item == order[0]
    app.button(key="find_Next").click().run()
    assert app.session_state["_here"].item == order[1 % len(order)]
    app.selectbox(key="find_class").set_value("any").run()
    app.selectbox(key="find_way").set_value(finding.MOVED).run()
    other = Run(study.folder / app.selectbox(key="find_other").value)
    assert other.folder != run.folder
    near, far = (finding.neighbours(one.latents().mean[-1]) for one in (run, other))
    app.button(key="find_First").click().run()
    assert app.session_state["_here"].item == finding.by(finding.drift(near, far), largest=True)[0]
    assert not app.exception


@pytest.mark.parametrize("plain", ["true", "false"])
def test_a_link_to_either_view_has_its_way_to_other_pages_at_once(
    open_app: Callable[..., AppTest], plain: str
) -> None:
    app = open_app("order", plain=plain)
    assert len(app.get("page_link")) == len(frame.PAGES)
