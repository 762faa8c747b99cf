"""Decoding on the machine's hardware, where it has any that FFmpeg can use."""

from __future__ import annotations

import av
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError

NONE_HERE = "hardware decoding was asked for, and there is none here for this stream: decoded in software"


def hardware_for(codec: str) -> tuple[HWAccel | None, str]:
    """What can decode this codec on this machine, and a sentence about it; None where software has to.

    A stream that the hardware refuses (a profile or a size that it does not know) is decoded in software too.
    """
    able = {str(config.device_type.name) for config in av.Codec(codec, "r").hardware_configs if config.is_supported}
    for device in av.codec.hwaccel.hwdevices_available():
        if device not in able:
            continue
        try:
            found = HWAccel(device, allow_software_fallback=True)
            av.CodecContext.create(codec, "r", found)
        except (FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError):
            continue  # what PyAV raises where a listed device does not open or does not know the codec: try the next
        return found, f"decoded on hardware ({device}) where it can be"
    return None, NONE_HERE
