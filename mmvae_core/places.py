"""Where that lies which is no part of the core: configurations, shipped runs, the app.

In a checkout it lies beside the package; an installation brings configurations and the app along
in a folder of the package, and no runs.
"""

from pathlib import Path

INSTALLED = "beside"
"""As pyproject.toml calls the folder inside the package."""


def home(core: Path) -> Path:
    """The folder with `app.py` and `configs/`, of a package in the folder `core`."""
    installed = core / INSTALLED
    return installed if installed.is_dir() else core.parent


def checkpoints(place: Path) -> Path:
    """The folder of studies beside the app; `checkpoints` where one works if there is none."""
    beside = place / "checkpoints"
    return beside if beside.is_dir() else Path("checkpoints")


HOME = home(Path(__file__).resolve().parent)
SHIPPED = checkpoints(HOME)
