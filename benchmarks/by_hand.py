"""From the end of a stroke to the generated pictures in the page: `python -m benchmarks.by_hand`.

Draws the digits of the tests stroke by stroke with the mouse. Timed inside the browser, from
`pointerup` to the change of the generated photos' picture in the document.
"""

import json

from benchmarks.browser import HOME, opened, percentiles, quiet

PATH = "generate?start=my+own+input&mask=handwriting"
DRAWN = HOME / "tests/core/modalities/hand_drawn.json"
WATCH = """() => { window.took = []; let lifted = null;
    const photos = () => document.querySelector("img.tiles[alt*='of photo, generated']")?.src;
    window.last = photos();
    window.addEventListener('pointerup', () => { lifted = performance.now() }, true);
    new MutationObserver(() => {
        const now = photos();
        if (lifted !== null && now && now !== window.last)
            { window.took.push(performance.now() - lifted); lifted = null }
        if (now) window.last = now;
    }).observe(document.body, {subtree: true, childList: true, attributes: true}); }"""


def main(digits: int = 30) -> None:
    with opened(PATH) as page:
        page.evaluate(WATCH)
        field = page.locator(".field")
        for one in json.loads(DRAWN.read_text())[:digits]:
            box = field.bounding_box()
            assert box
            for stroke in one["strokes"]:
                places = [
                    (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
                ]
                page.mouse.move(*places[0])
                page.mouse.down()
                for place in places[1:]:
                    page.mouse.move(*place)
                before = page.evaluate("window.took.length")
                page.mouse.up()
                page.wait_for_function("count => window.took.length > count", arg=before)
                quiet(page)
            page.get_by_role("button", name="Clear").click()
            quiet(page)
        took = page.evaluate("window.took")
    print(f"the first stroke, which loads the model: {took[0]:.0f} ms")
    print(percentiles(took[1:]))


if __name__ == "__main__":
    main()
