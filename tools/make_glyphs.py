"""Draws `mmvae_core/data/digits/glyphs.png`, the atlas of digits that the house-number photos use.

Run it only to change the fonts: `python -m tools.make_glyphs`. It needs the Debian packages
named in FONTS; everybody else reads the committed atlas, so pixels agree on every machine.
One row a font (first the seen, then the held-out ones), one 48 x 48 cell a digit, white on black.
Every digit is 40 px high and centred, and keeps its own width.
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

CELL = 48
DIGIT_HEIGHT = 40
OVERSAMPLED = 480
ROOT = Path("/usr/share/fonts")
ATLAS = Path(__file__).parents[1] / "mmvae_core" / "data" / "digits" / "glyphs.png"
OFL = "SIL OFL 1.1"
APACHE = "Apache 2.0"

# (file below /usr/share/fonts, Debian package, licence)
SEEN = [
    ("truetype/croscore/Arimo-Bold.ttf", "fonts-croscore", OFL),
    ("truetype/croscore/Tinos-Bold.ttf", "fonts-croscore", OFL),
    ("truetype/dejavu/DejaVuSerif-Bold.ttf", "fonts-dejavu-core", "Bitstream Vera"),
    ("truetype/dejavu/DejaVuSansMono-Bold.ttf", "fonts-dejavu-core", "Bitstream Vera"),
    ("truetype/roboto/unhinted/RobotoCondensed-Bold.ttf", "fonts-roboto-unhinted", APACHE),
    ("opentype/roboto/slab/RobotoSlab-Bold.otf", "fonts-roboto-slab", APACHE),
    ("truetype/quicksand/Quicksand-Bold.ttf", "fonts-quicksand", OFL),
    ("truetype/comfortaa/Comfortaa-Bold.ttf", "fonts-comfortaa", OFL),
    ("opentype/bebas-neue/BebasNeue-Bold.otf", "fonts-bebas-neue", OFL),
    ("opentype/dosis/Dosis-Bold.otf", "fonts-dosis", OFL),
    ("opentype/league-spartan/LeagueSpartan-Bold.otf", "fonts-league-spartan", OFL),
    ("opentype/yanone-kaffeesatz/YanoneKaffeesatz-Bold.otf", "fonts-yanone-kaffeesatz", OFL),
    ("truetype/opendin/OSP-DIN.ttf", "fonts-opendin", OFL),
    ("truetype/play/Play-Bold.ttf", "fonts-play", OFL),
    ("truetype/fonts-oldstandard/OldStandard-Bold.ttf", "fonts-oldstandard", "SIL OFL 1.0"),
    ("opentype/courier-prime/Courier Prime Bold.otf", "fonts-courier-prime", OFL),
    ("truetype/lato/Lato-Bold.ttf", "fonts-lato", OFL),
    ("opentype/national-park/NationalPark-Heavy.otf", "fonts-national-park", OFL),
]
HELD_OUT = [
    ("truetype/open-sans/OpenSans-CondBold.ttf", "fonts-open-sans", APACHE),
    ("truetype/crosextra/Caladea-Bold.ttf", "fonts-crosextra-caladea", OFL),
    ("opentype/cabin/Cabin-Bold.otf", "fonts-cabin", OFL),
    ("truetype/manrope/Manrope-ExtraBold.ttf", "fonts-manrope", OFL),
]
FONTS = SEEN + HELD_OUT


def cell_of(font: ImageFont.FreeTypeFont, digit: int) -> Image.Image:
    """One digit as a CELL x CELL greyscale image: tight, DIGIT_HEIGHT high, centred."""
    large = Image.new("L", (2 * OVERSAMPLED, 2 * OVERSAMPLED))
    ImageDraw.Draw(large).text((OVERSAMPLED // 2, OVERSAMPLED // 4), str(digit), 255, font=font)
    tight = large.crop(large.getbbox())
    width = min(CELL - 2, round(tight.width * DIGIT_HEIGHT / tight.height))
    small = tight.resize((width, DIGIT_HEIGHT), Image.Resampling.BOX)
    cell = Image.new("L", (CELL, CELL))
    cell.paste(small, ((CELL - width) // 2, (CELL - DIGIT_HEIGHT) // 2))
    return cell


def main() -> None:
    """Draw all rows and save the atlas."""
    atlas = Image.new("L", (10 * CELL, len(FONTS) * CELL))
    for row, (file, _package, _licence) in enumerate(FONTS):
        font = ImageFont.truetype(str(ROOT / file), OVERSAMPLED)
        for digit in range(10):
            atlas.paste(cell_of(font, digit), (digit * CELL, row * CELL))
    atlas.save(ATLAS, optimize=True)


if __name__ == "__main__":
    main()
