"""Multi-modal variational auto-encoders: models, objectives, training and evaluation.

The package stands alone: it needs neither the app nor Streamlit. A dozen names are its face:

    import mmvae_core as mm

    run = mm.find_run("digits/sum_pooling-masked")
    words = mm.generate(run, {"handwriting": picture}, samples=4)["word"]

Each is imported when it is first asked for, so that importing the package brings no torch. All
else is imported by module: `mmvae_core.build` (configuration to objects), `mmvae_core.store` (runs
and studies), `mmvae_core.model`, `mmvae_core.explore` (what the app shows of a model).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmvae_core.build import build_model
    from mmvae_core.config_files import load_config
    from mmvae_core.errors import MMVAEError
    from mmvae_core.face import evaluate, generate, lattice, log_likelihood, posterior, train
    from mmvae_core.store.study import find_run, find_study
    from mmvae_core.subsets import all_subsets

__version__ = "0.1.0"
__all__ = [
    "MMVAEError",
    "all_subsets",
    "build_model",
    "evaluate",
    "find_run",
    "find_study",
    "generate",
    "lattice",
    "load_config",
    "log_likelihood",
    "posterior",
    "train",
]
_MODULES = {
    "MMVAEError": "errors",
    "all_subsets": "subsets",
    "build_model": "build",
    "find_run": "store.study",
    "find_study": "store.study",
    "load_config": "config_files",
}
"""Where a name of the face is, if it is not in `mmvae_core.face`."""


def __getattr__(name: str) -> Any:
    """A name of the face, imported now (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULES.get(name, 'face')}")
    return getattr(module, name)


def __dir__() -> list[str]:
    """What is here and what can be asked for."""
    return sorted({*globals(), *__all__})
