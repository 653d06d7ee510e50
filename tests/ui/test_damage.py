"""Damaged files on the pages that read them: one sentence that names the file, and no crash."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.opening import make_picture
from mmvae_core.store.opening import write_picture
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import PriorsCard
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash
from tests import damage
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES

Open = Callable[..., AppTest]
RUN = "sum_pooling-masked"
PAGES_OF: dict[str, tuple[str, ...]] = {
    "card.json": PAGES,
    "report.json": ("masks", "compare", "generate", "conflict"),
    "latents.npz": ("latent_space", "masks", "compare", "traverse", "generate"),
    "priors.json": ("latent_space", "generate"),
    "samples.npz": ("latent_space", "generate", "order"),
    "study.json": ("latent_space", "fusion"),
    "judge/card.json": ("masks", "generate"),
    "opening.npz": ("start",),
}
"""Where each file is read. History and weights are not, or have tests of their own."""
PRIORS = {"projection": "PCA", "draws": "mixture", "mask": ""}
"""What to ask for so that a further prior is read."""
KINDS = {".json": ("truncated", "wrong type", "newer format"), ".npz": ("truncated", "wrong shape")}
CASES = [
    (name, page, kind)
    for name, pages in PAGES_OF.items()
    for page in pages
    for kind in KINDS[Path(name).suffix]
]
NOT_THERE = ("study.json", "report.json", "latents.npz", "opening.npz")
"""Without these a folder is no study, a run has not been evaluated, a picture is made."""
ON_ONE_PAGE = [
    (name, PAGES_OF[name][0], kind)
    for name in PAGES_OF
    for kind in damage.kinds_of(name)
    if kind not in KINDS[Path(name).suffix] and not (kind == "missing" and name in NOT_THERE)
]


@pytest.fixture(scope="module")
def whole(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made study `digits`, of which a run has a further prior's card."""
    root = tmp_path_factory.mktemp("damaged")
    shutil.copytree(checkpoints / "digits", root / "digits")
    run, study = Run(root / "digits" / RUN), Study(root / "digits")
    write_picture(study, make_picture(study, run, 0, run.model()))
    card = PriorsCard(
        components=2,
        width=8,
        layers=1,
        seed=0,
        items=1,
        held_out_items=1,
        held_out={},
        weights=file_hash(run.weights),
    )
    write_record(run.folder / "priors.json", card)
    (run.folder / "priors.safetensors").write_bytes(b"")
    return root


@pytest.fixture
def damaged(whole: Path) -> Iterator[Callable[[str, str], Path]]:
    """Damage one file; afterwards it is as it was."""
    held: dict[Path, bytes] = {}

    def how(name: str, kind: str) -> Path:
        folder = whole / "digits" / (RUN if name in damage.OF_A_RUN else "")
        held[folder / name] = (folder / name).read_bytes()
        damage.kinds_of(name)[kind](folder / name)
        return whole

    yield how
    for path, content in held.items():
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "page", "kind"),
    [*CASES, *ON_ONE_PAGE],
    ids=[" ".join(one) for one in (*CASES, *ON_ONE_PAGE)],
)
def test_a_damaged_file_is_one_sentence_on_its_pages(
    open_app: Open, damaged: Callable[[str, str], Path], name: str, page: str, kind: str
) -> None:
    root, query = damaged(name, kind), PRIORS if name == "priors.json" else {}
    app = open_app(page, root, study="digits", run=RUN, **query)
    if (name, page) == ("priors.json", "generate"):
        app.session_state["prior"] = "mixture"
        app.run()
    assert not app.exception
    (error,) = (one.value for one in app.error)
    assert name in error
    assert error.endswith(".")
    assert "python -m mmvae_core" in error


def no_config(root: Path) -> str:
    (root / "digits" / "poe-mixture" / "config.json").write_text("{")
    return "poe-mixture"


def no_card(root: Path) -> str:
    (root / "digits" / "poe-mixture" / "card.json").unlink()
    return "poe-mixture"


def a_list_for_a_report(root: Path) -> str:
    (root / "digits" / "poe-mixture" / "report.json").write_text("[]")
    return "poe-mixture"


def of_another_study(root: Path) -> str:
    shutil.copytree(root / "small" / "moe-masked", root / "digits" / "a-stranger")
    return "a-stranger"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("harm", [no_config, no_card, a_list_for_a_report, of_another_study])
def test_a_bad_run_is_told_and_takes_none_down(
    open_app: Open, checkpoints: Path, tmp_path: Path, harm: Callable[[Path], str], page: str
) -> None:
    for study in ("digits", "small"):
        shutil.copytree(checkpoints / study, tmp_path / study)
    healthy = html_of(open_app(page, tmp_path, study="digits", run=RUN, runs=[RUN, "moe-masked"]))
    bad = harm(tmp_path)
    app = open_app(page, tmp_path, study="digits", run=RUN, runs=[RUN, "moe-masked"])
    assert not app.exception
    (error,) = (one.value for one in app.sidebar.error)
    assert error.startswith(f"{bad} cannot be opened. ")
    assert error.endswith(".")
    assert list(app.error) == list(app.sidebar.error)
    assert bad not in app.selectbox(key="run").options
    if page not in ("compare", "conflict", "order"):  # which list the runs
        assert html_of(app) == healthy
    assert bad not in html_of(app)


@pytest.mark.parametrize("page", ["masks", "compare"])
def test_a_link_to_a_bad_run_opens_another_and_says_so(
    open_app: Open, checkpoints: Path, tmp_path: Path, page: str
) -> None:
    shutil.copytree(checkpoints / "digits", tmp_path / "digits")
    bad = no_config(tmp_path)
    app = open_app(page, tmp_path, study="digits", run=bad)
    assert not app.exception
    assert app.session_state["_here"].run.folder.name == RUN
    assert any(bad in one.value for one in app.warning)
    assert any(bad in one.value for one in app.sidebar.error)


def test_ones_own_runs_stand_beside_those_of_their_study(
    open_app: Open, checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "runs"
    shutil.copytree(checkpoints / "digits" / "moe-masked", own / "mine")
    shutil.copytree(checkpoints / "small" / "moe-masked", own / "other")
    shutil.copytree(own / "mine", own / "broken")
    (own / "broken" / "config.json").write_text("{")
    monkeypatch.chdir(tmp_path)  # the folder `runs` is found where one works
    for page in PAGES:
        app = open_app(page, checkpoints, study="digits", run="mine")
        assert not app.exception
        assert app.session_state["_here"].run.folder.name == "mine"
        offered = app.selectbox(key="run").options
        assert "other" not in offered and "broken" not in offered
        (error,) = (one.value for one in app.error)
        assert error.startswith("broken cannot be opened. ")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("harm", ["another's weights", "one bit"])
def test_weights_of_another_run_are_told_on_every_page(
    open_app: Open, checkpoints: Path, tmp_path: Path, harm: str, page: str
) -> None:
    shutil.copytree(checkpoints / "digits", tmp_path / "digits")
    weights = tmp_path / "digits" / "poe-mixture" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    if harm == "another's weights":
        shutil.copy(weights.parent.parent / "moe-masked" / weights.name, weights)
    app = open_app(page, tmp_path, study="digits", run="poe-mixture")
    assert not app.exception
    (error,) = (one.value for one in app.sidebar.error)
    assert error.startswith("poe-mixture cannot be opened. ")
    assert "has the hash" in error and error.endswith(".")
    assert app.session_state["_here"].run.folder.name != "poe-mixture"
