# SPDX-License-Identifier: BSD-3-Clause
"""Pictures that nobody photographed, drawn here: text in three scripts, a chart, a window, a comic, a map, pixel art.

The fonts are the DejaVu that matplotlib brings along. Nothing is random: each picture is the same every time, for one
version of Pillow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import DependencyError
from .pictures import Photograph, load_folder

SIZE = 960, 720  # pixels
FINER = 3  # shapes are drawn so much larger and scaled down, for smooth edges
_LATIN = (
    "A camera sees a page as it sees a face: light falls on paper, and a little of it comes back. What makes a letter "
    "is the edge between dark and bright, sharp where ink ends. A codec for faces spends its bits on skin and hair; on "
    "a page there is neither, only the same few shapes, again and again, on the same ground."
)
_CYRILLIC = (
    "Страница состоит из немногих знаков, и каждый из них возвращается много раз. Кто однажды сохранил букву, тому "
    "потом нужно только сказать, где она стоит. Поэтому хороший формат для текста ищет не оттенки, а повторения."
)
_GREEK = (
    "Κάθε γράμμα είναι ένα σχήμα με καθαρές άκρες, και το φόντο του δεν αλλάζει. Όποιος θυμάται τα σχήματα γράφει "
    "ολόκληρη τη σελίδα με λίγα λόγια, χωρίς να χάσει ούτε ένα σημείο."
)


@cache
def font(size: int, style: str = "Sans") -> ImageFont.FreeTypeFont:
    """A DejaVu of that size; DependencyError without matplotlib, which brings it."""
    try:
        import matplotlib
    except ImportError as error:
        raise DependencyError(
            "the drawn pictures need matplotlib for its fonts: pip install 'calotype[bench]'"
        ) from error
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVu{style}.ttf"), size)


def pictures_of(folder: Path) -> list[Photograph]:
    """The pictures in a folder, or those of :func:`drawn_set` if there is none and it is called ``drawn``."""
    return drawn_set() if folder == Path("drawn") and not folder.exists() else load_folder(folder)


def drawn_set() -> list[Photograph]:
    """All of them."""
    makers: dict[str, Callable[[], Image.Image]] = {
        "text": text, "chart": chart, "window": window, "comic": comic, "map": street_map, "pixel-art": pixel_art,
    }  # fmt: skip
    return [Photograph(name, np.asarray(make().convert("RGB"))) for name, make in makers.items()]


def _paragraph(pen: ImageDraw.ImageDraw, words: str, at: tuple[int, int], width: int, size: int, style: str) -> int:
    """Write lines of at most so many pixels; where the next line would begin."""
    x, y = at
    line = ""
    for word in [*words.split(), ""]:
        longer = f"{line} {word}".strip()
        if not word or font(size, style).getlength(longer) > width:
            pen.text((x, y), line, (34, 34, 38), font(size, style))
            y, line = y + round(1.45 * size), word
        else:
            line = longer
    return y


def text() -> Image.Image:
    """A page in Latin, Cyrillic and Greek letters."""
    image = Image.new("RGB", SIZE, (253, 252, 249))
    pen = ImageDraw.Draw(image)
    pen.text((60, 36), "On pages", (120, 20, 40), font(36, "Serif-Bold"))
    y = 104
    for words, size, style in ((_LATIN, 19, "Serif"), (_CYRILLIC, 17, "Sans"), (_GREEK, 18, "Serif-Italic")):
        y = _paragraph(pen, words, (60, y), 840, size, style) + 22
    for index, line in enumerate(("def area(shape):", "    height, width = shape", "    return height * width")):
        pen.text((84, y + 25 * index), line, (20, 60, 110), font(16, "SansMono"))
    _paragraph(pen, _LATIN, (60, y + 100), 840, 13, "Sans")
    return image


def _smooth(paint: Callable[[ImageDraw.ImageDraw, int], None], ground: tuple[int, int, int]) -> Image.Image:
    """Shapes with smooth edges."""
    large = Image.new("RGB", (FINER * SIZE[0], FINER * SIZE[1]), ground)
    paint(ImageDraw.Draw(large), FINER)
    return large.resize(SIZE, Image.Resampling.BOX)


def chart() -> Image.Image:
    """Lines, bars and labels."""
    colours = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40))
    x = np.linspace(0, 1, 90)

    def paint(pen: ImageDraw.ImageDraw, s: int) -> None:
        for index in range(7):
            y = (60 + 60 * index) * s
            pen.line((90 * s, y, 910 * s, y), (222, 222, 226), s)
        for index, colour in enumerate(colours):
            curve = 400 - 300 * x ** (0.4 + 0.3 * index) - 24 * np.sin((5 + index) * x)
            points = [((90 + 820 * a) * s, float(b) * s) for a, b in zip(x, curve, strict=True)]
            pen.line(points, colour, 2 * s, "curve")
        for index in range(16):
            top = 680 - 14 * (index * 7 % 11 + 1)
            pen.rectangle(((100 + 51 * index) * s, top * s, (134 + 51 * index) * s, 680 * s), colours[index % 4])

    image = _smooth(paint, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    pen.text((330, 14), "Bytes by quality, four codecs", (0, 0, 0), font(20))
    for index in range(7):
        pen.text((34, 50 + 60 * index), f"{3.5 - 0.5 * index:.1f}", (60, 60, 60), font(15))
    for index in range(16):
        pen.text((104 + 51 * index, 688), f"{index:02}", (60, 60, 60), font(14))
    for index, colour in enumerate(colours):
        pen.rectangle((720, 330 + 24 * index, 744, 340 + 24 * index), colour)
        pen.text((752, 325 + 24 * index), ("alpha", "beta", "gamma", "delta")[index], (0, 0, 0), font(14))
    return image


def window() -> Image.Image:
    """A program with a menu, a list, and a photograph, which is noise and waves."""
    image = Image.new("RGB", SIZE, (58, 110, 165))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((30, 24, 930, 700), 10, (246, 246, 247), (150, 150, 155))
    pen.rounded_rectangle((30, 24, 930, 60), 10, (222, 224, 228))
    pen.text((60, 32), "Album - 128 pictures", (30, 30, 30), font(16, "Sans-Bold"))
    for index, colour in enumerate(((237, 106, 94), (245, 191, 79), (98, 197, 84))):
        pen.ellipse((850 + 24 * index, 35, 864 + 24 * index, 49), colour)
    for index, word in enumerate(("File", "Edit", "View", "Picture", "Help")):
        pen.text((46 + 76 * index, 68), word, (40, 40, 40), font(14))
    pen.line((31, 92, 929, 92), (200, 200, 204))
    for index in range(22):
        y = 102 + 26 * index
        if index == 5:
            pen.rectangle((40, y - 3, 300, y + 20), (41, 98, 217))
        ink = (255, 255, 255) if index == 5 else (35, 35, 38)
        pen.text((50, y), f"IMG_{2040 + 17 * index}.png", ink, font(14))
        pen.text((220, y), f"{index * 37 % 90 + 12} kB", ink, font(14))
    y, x = np.mgrid[:512, :576]
    waves = np.sin(x / 37) * np.cos(y / 53) + np.sin((x + 2 * y) / 91) + 0.4 * np.sin(x / 5 + np.sin(y / 29) * 3)
    grain = np.random.default_rng(7).normal(0, 5, (512, 576))
    planes = [118 + 40 * waves + grain + 30 * np.sin(y / (80 + 30 * c)) for c in range(3)]
    image.paste(Image.fromarray(np.stack(planes, 2).clip(0, 255).astype(np.uint8)), (330, 120))
    for index in range(4):
        pen.rounded_rectangle((330 + 150 * index, 648, 466 + 150 * index, 682), 6, (255, 255, 255), (170, 170, 176))
        pen.text((362 + 150 * index, 656), ("Rotate", "Crop", "Share", "Delete")[index], (30, 30, 30), font(14))
    return image


def comic() -> Image.Image:
    """Flat colours, thick outlines, dots and a balloon."""

    def paint(pen: ImageDraw.ImageDraw, s: int) -> None:
        def ellipse(box: tuple[int, int, int, int], colour: tuple[int, int, int], line: int = 4) -> None:
            pen.ellipse(tuple(s * side for side in box), colour, (10, 10, 12), line * s)

        for row in range(60):
            for column in range(80):
                x, y, r = 6 + 12 * column + 6 * (row % 2), 6 + 12 * row, 2 + 3 * row / 60
                pen.ellipse((s * (x - r), s * (y - r), s * (x + r), s * (y + r)), (255, 170, 120))
        pen.polygon([(s * a, s * b) for a, b in ((0, 560), (300, 470), (620, 540), (960, 450), (960, 720), (0, 720))],
                    (90, 170, 90), (10, 10, 12))  # fmt: skip
        ellipse((700, 60, 860, 220), (255, 225, 80))
        ellipse((180, 250, 460, 590), (70, 120, 210), 6)
        ellipse((230, 120, 410, 310), (250, 205, 170), 6)
        for eye in (275, 345):
            ellipse((eye, 190, eye + 30, 232), (255, 255, 255), 3)
            ellipse((eye + 10, 205, eye + 22, 222), (20, 20, 20), 1)
        pen.arc((270 * s, 215 * s, 370 * s, 285 * s), 20, 160, (150, 30, 40), 6 * s)
        pen.rounded_rectangle((480 * s, 250 * s, 900 * s, 390 * s), 40 * s, (255, 255, 255), (10, 10, 12), 5 * s)
        pen.polygon([(500 * s, 380 * s), (420 * s, 330 * s), (560 * s, 385 * s)], (255, 255, 255))
        pen.rectangle((0, 0, s * SIZE[0] - 1, s * SIZE[1] - 1), None, (10, 10, 12), 10 * s)

    image = _smooth(paint, (255, 214, 150))
    pen = ImageDraw.Draw(image)
    pen.text((516, 272), "So few colours,", (0, 0, 0), font(30, "Sans-Bold"))
    pen.text((516, 322), "and so many edges!", (0, 0, 0), font(30, "Sans-Bold"))
    return image


def street_map() -> Image.Image:
    """Streets, water, parks and names."""
    places = [(index * 137 % 96 * 10, index * 211 % 72 * 10) for index in range(1, 40)]

    def paint(pen: ImageDraw.ImageDraw, s: int) -> None:
        river = [(-20, 560), (180, 470), (340, 520), (560, 380), (760, 420), (990, 250)]
        pen.line([(s * a, s * b) for a, b in river], (170, 211, 223), 70 * s, "curve")
        for index, (x, y) in enumerate(places[:9]):
            pen.polygon(
                [(s * (x + a * (60 + 7 * index)), s * (y + b * 50)) for a, b in ((0, -1), (1, 0), (0.3, 1), (-1, 0.4))],
                (200, 230, 180),
            )
        for index in range(30):
            angle = 0.12 * (index % 3 - 1)
            x, y = 36 * index - 40, 27 * index - 40
            for colour, width in (((190, 186, 180), 9), ((255, 255, 255), 6)):
                pen.line((s * x, 0, s * (x + 720 * angle), 720 * s), colour, width * s)
                pen.line((0, s * y, 960 * s, s * (y - 960 * angle)), colour, width * s)
        for colour, width in (((200, 130, 60), 16), ((253, 214, 134), 12)):
            pen.line([(0, 100 * s), (400 * s, 260 * s), (960 * s, 640 * s)], colour, width * s, "curve")

    image = _smooth(paint, (242, 239, 233))
    pen = ImageDraw.Draw(image)
    names = ("Market", "Old Mill", "Harbour", "North Park", "Station", "Museum", "St Mary", "Bridge St", "Hill")
    for index, (x, y) in enumerate(places[9:]):
        pen.text(
            (x, y), names[index % 9], (70, 60, 60), font(11 + index % 3), stroke_width=1, stroke_fill=(255, 255, 255)
        )
    return image


def pixel_art() -> Image.Image:
    """A scene of 120 x 90 pixels in 16 colours, eight times enlarged."""
    y, x = np.mgrid[:90, :120]
    palette = np.array(
        [(20, 12, 28), (68, 36, 52), (48, 52, 109), (78, 74, 78), (133, 76, 48), (52, 101, 36), (208, 70, 72),
         (117, 113, 97), (89, 125, 206), (210, 125, 44), (133, 149, 161), (109, 170, 44), (210, 170, 153),
         (109, 194, 202), (218, 212, 94), (222, 238, 214)], np.uint8,
    )  # fmt: skip
    index = np.where((y // 6 + (x + y) % 2) % 3 == 0, 8, 13)
    index[(x - 92) ** 2 + (y - 18) ** 2 < 90] = 14
    hills = 58 + (x * 7 % 23) // 5 - (x // 9 * 5) % 13
    index = np.where(y > hills, 5 + 6 * ((x * 3 + y * 5) % 7 < 2), index)
    for left in range(8, 110, 26):
        index[52:74, left : left + 14] = 4 + 5 * (
            (y[52:74, left : left + 14] // 2 + x[52:74, left : left + 14] // 4) % 2
        )
        index[46:52, left - 2 : left + 16] = 6
        index[60:66, left + 3 : left + 7] = 15 - 7 * ((left // 26) % 2)
    index = np.where(y > 78, np.where((x + y // 2) % 9 < 1, 0, 3 + 4 * ((x // 5 + y // 3) % 2)), index)
    return Image.fromarray(np.kron(palette[index], np.ones((8, 8, 1), np.uint8)))
