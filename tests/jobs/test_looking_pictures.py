"""Pictures of a preview belong to their labels, also where an image before them is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests import tiny
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.jobs.looking import PICTURE, data_address, look_at_data


def test_a_broken_image_moves_no_picture_to_another_label(tmp_path: Path):
    generator = np.random.default_rng(0)
    for kind in tiny.CLASSES:
        (tmp_path / "train" / kind).mkdir(parents=True)
        for number in range(3):
            picture = Image.fromarray(tiny.picture(kind, generator))
            picture.save(tmp_path / "train" / kind / f"{number}.png")
    (tmp_path / "train" / tiny.CLASSES[0] / "0.png").write_bytes(b"no picture")
    found = look_at_data({"path": str(tmp_path), "mapping": None, "limit": 10})
    assert [problem["kind"] for problem in found["problems"]][:1] == ["unreadable image"]
    assert len(found["examples"]) == 8
    for example in found["examples"]:
        own = Image.open(tmp_path / example["source"])
        assert example["picture"] == data_address(thumbnail(own, PICTURE))
        assert example["label"] in example["source"]
