"""A small DNG, as a camera writes it: a JPEG preview, sensor values, a date."""

from __future__ import annotations

import struct


def dng(preview: bytes, width: int, height: int, orientation: int = 1, date: str = "2019:07:28 18:03:11") -> bytes:
    """A TIFF of three directories: the preview, 64 x 48 values of the sensor, and the date."""
    sensor = struct.pack("<3072H", *[i * 37 % 4096 for i in range(3072)])
    unit = [(1, 1), (0, 1), (0, 1)]
    offsets = {"sub": 0, "exif": 0, "preview": 0, "sensor": 0}

    def directories() -> list[bytes]:
        start = 8
        out = []
        for entries in (
            [
                (254, "I", [1]), (256, "I", [width]), (257, "I", [height]), (258, "H", [8, 8, 8]), (259, "H", [7]),
                (262, "H", [6]), (271, "s", b"Made\0"), (272, "s", b"Up\0"), (273, "I", [offsets["preview"]]),
                (274, "H", [orientation]), (277, "H", [3]), (278, "I", [height]), (279, "I", [len(preview)]),
                (330, "I", [offsets["sub"]]), (34665, "I", [offsets["exif"]]), (50706, "B", bytes([1, 4, 0, 0])),
                (50708, "s", b"Made Up\0"), (50721, "ii", [*unit, unit[1], unit[0], unit[1], *unit[1:], unit[0]]),
            ],
            [
                (254, "I", [0]), (256, "I", [64]), (257, "I", [48]), (258, "H", [16]), (259, "H", [1]),
                (262, "H", [32803]), (273, "I", [offsets["sensor"]]), (277, "H", [1]), (278, "I", [48]),
                (279, "I", [len(sensor)]), (33421, "H", [2, 2]), (33422, "B", bytes([0, 1, 1, 2])),
            ],
            [(36867, "s", date.encode() + b"\0")],
        ):  # fmt: skip
            out.append(_directory(entries, start))
            start += len(out[-1])
        return out

    # Once to know the lengths, once more with the places
    first, sub, exif = (len(part) for part in directories())
    offsets |= {"sub": 8 + first, "exif": 8 + first + sub, "preview": 8 + first + sub + exif}
    offsets["sensor"] = offsets["preview"] + len(preview)
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directories()) + preview + sensor


def _directory(entries, start: int) -> bytes:
    types = {"B": 1, "s": 2, "H": 3, "I": 4, "ii": 10}
    table, beside = struct.pack("<H", len(entries)), b""
    values_at = start + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        packed = values if isinstance(values, bytes) else b"".join(
            struct.pack(f"<{kind}", *(value if isinstance(value, tuple) else (value,))) for value in values
        )  # fmt: skip
        table += struct.pack("<HHI", tag, types[kind], len(values))
        if len(packed) <= 4:
            table += packed.ljust(4, b"\0")
        else:
            table += struct.pack("<I", values_at + len(beside))
            beside += packed
    return table + struct.pack("<I", 0) + beside
