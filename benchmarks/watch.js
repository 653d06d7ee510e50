// What changes on the page after an input, and when. Inside shadow roots too.
(() => {
  let start, first, last, selector, before, observer;
  const roots = () => [document, ...[...document.querySelectorAll("*")]
    .map((one) => one.shadowRoot).filter(Boolean)];
  const look = () => [...document.querySelectorAll(selector)]
    .map((one) => one.getAttribute("src") ?? one.innerHTML).join("\n");
  const painted = (note) => requestAnimationFrame(() => setTimeout(() => note(performance.now())));
  const changed = () => {
    if (start === undefined) return;
    painted((now) => { last = Math.max(last ?? 0, now); });
    if (first === undefined && document.querySelector(selector) && look() !== before) {
      first = Infinity;
      painted((now) => { first = now; });
    }
  };
  const begin = (event) => {
    if (armed && event.isTrusted) { armed = false; start = performance.now(); }
  };
  let armed = false;
  addEventListener("pointerup", begin, true);
  addEventListener("mouseup", begin, true);
  window.watch = (wanted) => {
    observer?.disconnect();
    selector = wanted;
    before = look();
    start = first = last = undefined;
    armed = true;
    observer = new MutationObserver(changed);
    for (const root of roots()) {
      observer.observe(root, { subtree: true, childList: true, attributes: true,
        characterData: true });
    }
  };
  const idle = () => document.querySelector(".stApp")
    ?.getAttribute("data-test-script-state") === "notRunning"
    && !document.querySelector("[data-stale=true]");
  window.quiet = (pause) => new Promise((done) => {
    let since;
    const end = performance.now() + 30000;
    const tick = () => {
      const now = performance.now();
      if (now > end) { done({ first: NaN, last: NaN }); return; }
      const still = idle() && (start === undefined || (first !== undefined && last < now - pause));
      since = still ? since ?? now : undefined;
      if (still && now - since > pause) done({ first: first - start, last: last - start });
      else setTimeout(tick, 30);
    };
    tick();
  });
})();
