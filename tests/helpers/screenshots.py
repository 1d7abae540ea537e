"""Screenshots of a messenger that tests make themselves: one layout, other words; and changed copies of a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = (
    "invoice total meeting tomorrow please call back when you can the report was sent photos from holiday hello where "
    "are we going tonight dinner at eight order shipped payment received thanks for your help weather sunny train late"
)
CHANGES = ("half", "compressed", "cropped", "cut above", "cropped, scaled and compressed")


def screenshot(seed: int, width: int = 270, height: int = 480) -> Image.Image:
    """Messages of random words; everything else is the same in all of them."""
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), (250, 250, 250))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    draw.rectangle((0, 0, width, 42), fill=(40, 110, 190))
    draw.text((10, 12), "Messages", fill="white", font=ImageFont.load_default(15))
    for number, top in enumerate(range(54, height - 45, 33)):
        left, color = ((9, (225, 235, 245)), (82, (210, 245, 210)))[number % 2]
        draw.rounded_rectangle((left, top, left + 178, top + 27), 8, fill=color)
        draw.text((left + 6, top + 6), " ".join(generator.choice(WORDS.split(), 4)), fill=(20, 20, 20), font=font)
    draw.rectangle((0, height - 36, width, height), fill=(235, 235, 235))
    draw.text((10, height - 27), "Type a message", fill=(120, 120, 120), font=font)
    return image


def changed(image: Image.Image, change: str) -> Image.Image:
    """Return a copy: scaled, recompressed, or with 8 % cut off."""
    w, h = image.size
    if change == "half":
        return image.resize((w // 2, h // 2), Image.Resampling.LANCZOS)
    if change == "compressed":
        return _compressed(image, 40)
    if change == "cut above":
        return image.crop((0, round(0.08 * h), w, h))
    cropped = image.crop((round(0.08 * w), round(0.08 * h), round(0.92 * w), round(0.92 * h)))
    return cropped if change == "cropped" else _compressed(cropped.resize((round(0.6 * w), round(0.6 * h))), 60)


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
