"""Which data set a name picks, nowhere else."""

from collections.abc import Callable
from pathlib import Path

from mmvae_core.build import pick
from mmvae_core.config import RunConfig
from mmvae_core.data.digits.digit_source import digits
from mmvae_core.data.own.own_source import own
from mmvae_core.data.source import Source
from mmvae_core.data.worlds.bimodal import bimodal
from mmvae_core.data.worlds.linear import linear, linear_sparse
from mmvae_core.data.worlds.missing import missing, missing_deep

MakeSource = Callable[[RunConfig, Path | None], Source]
DATA: dict[str, MakeSource] = {
    "digits": digits,
    "linear": linear,
    "linear_sparse": linear_sparse,
    "bimodal": bimodal,
    "missing": missing,
    "missing_deep": missing_deep,
    "own": own,
}


def build_source(config: RunConfig, folder: Path | None = None) -> Source:
    """The data set; `folder` is where downloaded data are (default: the user's cache)."""
    return pick(DATA, config.data.name, "data set")(config, folder)
