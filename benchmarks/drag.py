"""How fast the plane of the Traverse page follows the pointer: `python -m benchmarks.drag`.

Inside the browser: pointer moves are dispatched as fast as they are drawn, each timed until every
modality's canvas has been drawn to; and the frames that are shown while a real mouse drags.
"""

import math

from benchmarks.browser import opened, percentiles

MOVES = 600
FAST = """count => {
    const field = document.querySelector("[aria-label^='Plane']") ?? window.field;
    const box = field.getBoundingClientRect(), took = [];
    field.setPointerCapture = () => {};
    const fire = (kind, angle) => field.dispatchEvent(new PointerEvent(kind, {bubbles: true,
        button: 0, clientX: box.left + box.width * (0.5 + 0.45 * Math.cos(angle)),
        clientY: box.top + box.height * (0.5 + 0.45 * Math.sin(1.7 * angle))}));
    fire('pointerdown', 0);
    for (let move = 0; move < count; move++) {
        const start = performance.now();
        fire('pointermove', move / 20);
        for (const canvas of window.canvases) canvas.getContext('2d').getImageData(0, 0, 1, 1);
        took.push(performance.now() - start);
    }
    return took; }"""
FRAMES = """() => { window.frames_ = []; window.updates = []; let last = null;
    const tick = now => { if (last !== null) window.frames_.push(now - last); last = now;
        requestAnimationFrame(tick) };
    requestAnimationFrame(tick);
    new MutationObserver(() => window.updates.push(performance.now()))
        .observe(window.status_, {childList: true,
        characterData: true, subtree: true}); }"""
FIND = """() => { const host = [...document.querySelectorAll('*')].find(element =>
        element.shadowRoot?.querySelector('.plane')), root = host ? host.shadowRoot : document;
    window.field = root.querySelector('.plane .field');
    window.status_ = root.querySelector('.plane [role=status]');
    window.canvases = [...root.querySelectorAll('.plane figure canvas')]; }"""


def main() -> None:
    with opened("traverse") as page:
        page.wait_for_selector(".plane figure")
        page.wait_for_timeout(1_000)
        page.evaluate(FIND)
        took = page.evaluate(FAST, MOVES)
        print(
            f"moves not bound to frames: {1_000 * len(took) / sum(took):.0f} a second;",
            percentiles([1_000 * one for one in took]).replace("ms", "µs"),
        )
        page.evaluate("window.field.dispatchEvent(new PointerEvent('pointercancel'))")
        page.wait_for_timeout(2_000)
        page.evaluate(FRAMES)
        box = page.locator(".plane .field").bounding_box()
        assert box
        page.mouse.move(box["x"] + 9, box["y"] + 9)
        page.mouse.down()
        for step in range(300):
            page.mouse.move(
                box["x"] + box["width"] * (0.5 + 0.45 * math.cos(step / 20)),
                box["y"] + box["height"] * (0.5 + 0.45 * math.sin(step / 12)),
            )
        frames, updates = page.evaluate("[window.frames_, window.updates]")
        page.mouse.up()
    rate = 1_000 * (len(updates) - 1) / (updates[-1] - updates[0])
    print(
        f"a real mouse, of which the browser tells once a frame: {rate:.1f} updates a second; "
        "frames shown,",
        percentiles(frames),
    )


if __name__ == "__main__":
    main()
