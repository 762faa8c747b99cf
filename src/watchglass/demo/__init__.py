"""The demo's material: data only. Made by ``tools/make_demo_clip.py``; where it comes from is in ``NOTICE.md``."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

FOLDER: Final[Traversable] = files(__name__)

STREET: Final = FOLDER / "street.mp4"
"""One minute of a real street: 768 by 576, 10 frames a second, H.264 with a keyframe every second."""

BACKDROP: Final = FOLDER / "backdrop.png"
"""The empty scene of ``STREET``, learned by ``views.backdrop``, looked at by a developer: nobody is in it."""

CHARTER: Final = FOLDER / "charter.yaml.in"
"""The demo's charter; ``@NAME@`` stands for what each deployment makes for itself (keys, dates, the model's hash)."""

LABELS: Final = FOLDER / "labels.json"
"""What a developer who viewed the clip says about each incident of the pipeline on it."""

NOTICE: Final = FOLDER / "NOTICE.md"
