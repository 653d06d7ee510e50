"""What MultiVae saved answers here as it does there; what is not safe or not alike is refused."""

import json
import zipfile
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import laplace, norm

from mmvae_core.cli import main
from mmvae_core.errors import MMVAEError
from mmvae_core.explore.multivae import CONFIG, MODEL, read
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About
from mmvae_core.store.run import Run
from mmvae_core.store.samples import Samples, write_samples
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash
from mmvae_core.training.runs import go_on
from tools.multivae_fixture import CASES, PLACE, drawn_weights

RECORDED = json.loads(PLACE.read_text())
INPUTS = {name: np.array(one, np.float32) for name, one in RECORDED["inputs"].items()}
NAMES = tuple(INPUTS)
LATENTS = torch.tensor(RECORDED["latents"], dtype=torch.float32)
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


def saved(folder: Path, case: str, more: Any = None, **config: Any) -> Path:
    """A folder as MultiVae saves it, with changes of the configuration or further tensors."""
    known = RECORDED["cases"][case]
    drawn = drawn_weights({name: tuple(one) for name, one in known["shapes"].items()})
    state = {name: torch.from_numpy(one) for name, one in drawn.items()} | (more or {})
    folder.mkdir()
    (folder / CONFIG).write_text(json.dumps(known["config"] | config))
    torch.save({"model_state_dict": state}, folder / MODEL)
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Study:
    folder = tmp_path / "studies" / "seen"
    data = {"image": (INPUTS["image"] * 255).astype(np.uint8), "gene": INPUTS["gene"]}
    write_samples(folder / "samples.npz", Samples(data, np.array([0, 1, 0])))
    about = About(title="Seen", classes=("a", "b"), samples=file_hash(folder / "samples.npz"))
    write_record(folder / "study.json", about)
    return Study(folder)


def adopted(source: Path, study: Study) -> Run:
    out = study.folder / "theirs"
    root = str(study.folder.parent)
    with pytest.raises(SystemExit) as ended:
        main(
            ["adopt", str(source), "--study", study.name, "--out", str(out), "--checkpoints", root]
        )
    assert ended.value.code == 0
    return Run(out)


@pytest.mark.parametrize("case", CASES)
def test_every_subset_and_picture_is_theirs(case: str, study: Study, tmp_path: Path) -> None:
    known = RECORDED["cases"][case]
    run = adopted(saved(tmp_path / "theirs", case), study)
    run.check_weights()
    model, draws = run.model(), np.random.default_rng(0).normal(size=(7, 1, 3))
    samples = study.samples_of(run.config)
    kinds = study.kinds(run.config)
    data = {name: torch.from_numpy(kinds[name].plain(samples.data[name])) for name in NAMES}
    family = laplace if run.config.aggregator.family == "laplace" else norm
    for size in range(1, len(NAMES) + 1):
        for subset in combinations(NAMES, size):
            mask = torch.tensor([[name in subset for name in NAMES]] * len(samples))
            loc, scale = (np.array(one) for one in known["posteriors"]["+".join(subset)])
            each = family.logpdf(draws[:, None], loc, scale).sum(-1)  # [draw, component, item]
            posterior = model.infer(data, mask)
            theirs = logsumexp(each, 1) - np.log(len(loc))
            ours = posterior.log_prob(torch.tensor(draws, dtype=torch.float32).expand(-1, 3, -1))
            np.testing.assert_allclose(ours, theirs, **CLOSE)
            np.testing.assert_allclose(posterior.mean, loc.mean(0), **CLOSE)
    for name in NAMES:
        part = model.modality(name)
        outputs = part.decode(LATENTS)
        np.testing.assert_allclose(outputs, known["decoded"][name], **CLOSE)
        value = part.likelihood.log_prob(outputs, data[name])
        np.testing.assert_allclose(value, known["log_likelihoods"][name], rtol=1e-5)
    if known["prior"] is None:
        assert run.config.prior.name == "standard_normal"
        return
    with pytest.raises(MMVAEError, match="was not trained here"):
        go_on(run, tmp_path / "more", 1)
    loc, scale = (np.array(one)[0] for one in known["prior"])
    theirs = family.logpdf(draws[:, 0], loc, scale).sum(-1)
    ours = model.prior().log_prob(torch.tensor(draws[:, 0], dtype=torch.float32))
    np.testing.assert_allclose(ours, theirs, **CLOSE)


NEVER = Path("never-touched")


class Hostile:
    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return (Path.touch, (NEVER,))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "rule": ({"name": "MoPoEConfig"}, "leave out the prior's own expert"),
    "unknown": ({"name": "NexusConfig"}, "no counterpart"),
    "networks": ({"custom_architectures": ["encoders"]}, "kept as pickles and not opened"),
    "shape": ({"latent_dim": 4}, r"encoders.image.embedding.weight is \[3, 512\]"),
    "size": ({"latent_dim": 10**9}, "expected"),
    "law": ({"decoders_dist": {"image": "categorical"}}, "of which ours has another"),
    "scale": ({"decoder_dist_params": {"gene": {"scale": -1}}}, "scale"),
    "tensor": ({"more": {"further": torch.zeros(2)}}, r"further is \[2\]"),
    "claim": ({"more": {"further": torch.zeros(1).expand(2**33)}}, r"further is \[8589934592\]"),
    "text": ({"more": {"further": "text"}}, "cannot be read"),
    "code": ({"more": {"further": Hostile()}}, "cannot be read"),
    "nan": ({"more": {"prior_log_var": torch.full((1, 3), torch.nan)}}, "NaN"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_taken_is_one_sentence(kind: str, tmp_path: Path) -> None:
    changes, said = WRONG[kind]
    source = saved(tmp_path / "theirs", "mmvae, laplace", **changes)
    with pytest.raises(MMVAEError, match=said) as refusal:
        read(source, "seen")
    assert "\n" not in str(refusal.value) and not NEVER.exists()


def test_a_packed_or_cut_file_is_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "theirs", "mvae")
    whole = (source / MODEL).read_bytes()
    with zipfile.ZipFile(source / MODEL) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(source / MODEL, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    with pytest.raises(MMVAEError, match="is packed"):
        read(source, "seen")
    (source / MODEL).write_bytes(whole[:2_000])
    with pytest.raises(MMVAEError, match="cannot be read"):
        read(source, "seen")
