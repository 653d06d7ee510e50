// Where a chart's points are on the screen. Points carry their item as customdata.

// Calls `each(item, x, y, colour, faint)` with pixels from the chart's corner; stops at `false`.
function eachPoint(gd, each) {
  const { xaxis, yaxis } = gd._fullLayout;
  for (const trace of gd._fullData) {
    if (trace.visible !== true || !trace.customdata) continue;
    const { colour, opacity } = marksOf(trace);
    for (let at = 0; at < trace.x.length; at++) {
      each(trace.customdata[at], xaxis.c2p(trace.x[at]) + xaxis._offset,
        yaxis.c2p(trace.y[at]) + yaxis._offset, colour(at), opacity(at), trace);
    }
  }
}

function marksOf({ marker }) {
  const many = (one) => Array.isArray(one) || ArrayBuffer.isView(one);
  return {
    colour: (at) => (many(marker.color) ? "#808080" : marker.color),
    opacity: (at) => (many(marker.opacity) ? marker.opacity[at] : marker.opacity ?? 1),
  };
}

// The plot's own box within the chart.
function plotBox(gd) {
  const { l, t, w, h } = gd._fullLayout._size;
  return { left: l, top: t, right: l + w, bottom: t + h };
}

const isInside = (box, x, y) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;

function nearestItem(gd, event, within) {
  const corner = gd.getBoundingClientRect(), box = plotBox(gd);
  const left = event.clientX - corner.left, top = event.clientY - corner.top;
  if (!isInside(box, left, top)) return null;
  let best = within * within, found = null;
  eachPoint(gd, (item, x, y, colour, opacity, trace) => {
    const apart = (x - left) ** 2 + (y - top) ** 2;
    if (apart <= best) [best, found] = [apart, { item, name: trace.name, x, y }];
  });
  return found;
}
