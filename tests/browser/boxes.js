// Texts that lie on each other, that are cut off, or that reach out of the window: a line for each.
(() => {
  const CLOSE = 2.5, SHOWN = 60;
  const roots = [document];
  for (const root of roots)
    for (const one of root.querySelectorAll("*")) if (one.shadowRoot) roots.push(one.shadowRoot);
  const up = (one) => one.parentElement ?? one.getRootNode().host ?? null;
  const clips = (style) => [style.overflowX, style.overflowY].some((one) => one !== "visible");

  // What of a box is left after all that cuts it, and what cuts it first.
  function seen(element, box) {
    let { left, top, right, bottom } = box, by = null;
    for (let one = element; one && one !== document.body; one = up(one)) {
      const style = getComputedStyle(one);
      if (style.position === "fixed" || one.matches(".stMain")) break;
      if (style.display === "inline" || !clips(style) || one.matches("svg, svg *")) continue;
      const edge = one.getBoundingClientRect();
      if (style.overflowX !== "visible") {
        if (!by && (edge.right < right - CLOSE || edge.left > left + CLOSE)) by = one;
        left = Math.max(left, edge.left);
        right = Math.min(right, edge.right);
      }
      if (style.overflowY !== "visible") {
        const scrolls = /auto|scroll/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 1;
        if (!by && !scrolls && (edge.bottom < bottom - CLOSE || edge.top > top + CLOSE)) by = one;
        top = Math.max(top, edge.top);
        bottom = Math.min(bottom, edge.bottom);
      }
    }
    return { left, top, right, bottom, by };
  }

  // Where the page's own column ends; a thing that stands over the page may reach to the window's edge.
  function edgeOf(element) {
    for (let one = element; one; one = up(one)) {
      if (getComputedStyle(one).position === "fixed") break;
      if (one.matches(".stMainBlockContainer"))
        return one.getBoundingClientRect().right - parseFloat(getComputedStyle(one).paddingRight);
    }
    return window.innerWidth;
  }

  const isSeen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const found = [], boxes = [];
  for (const root of roots) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node.parentElement, text = node.data.trim().slice(0, SHOWN);
      if (!text || !element || element.closest("script, style, title, option, noscript")) continue;
      if (element.closest("[data-testid=stSidebar], [data-testid=stHeader], .katex-mathml")) continue;
      if (!isSeen(element) || element.matches("details:not([open])")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const isDrawn = element instanceof SVGElement;
      for (const box of range.getClientRects()) {
        if (box.width < 2 || box.height < 2) continue;
        const place = seen(element, box);
        if (place.right - place.left < 2 || place.bottom - place.top < 2) {
          if (place.by && !/auto|scroll/.test(getComputedStyle(place.by).overflowX)) continue;
        }
        if (place.by) found.push(`cut by ${place.by.className || place.by.tagName}: ${text}`);
        else if (place.left < -CLOSE || place.right > edgeOf(element) + CLOSE)
          found.push(`outside: ${text}`);
        // letters are lower than their lines
        const air = isDrawn ? 0.12 * box.height : 0.2 * box.height;
        boxes.push({ ...place, top: place.top + air, bottom: place.bottom - air, node, element, text });
      }
    }
  }
  boxes.sort((one, other) => one.top - other.top);
  boxes.forEach((one, index) => {
    for (let next = index + 1; next < boxes.length && boxes[next].top < one.bottom; next += 1) {
      const other = boxes[next];
      if (other.node === one.node) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - other.top;
      if (wide > CLOSE && high > CLOSE) found.push(`on each other: ${one.text} | ${other.text}`);
    }
  });
  return [...new Set(found)];
})()
