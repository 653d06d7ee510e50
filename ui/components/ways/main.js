// A click on what carries data-way presses the hidden link to that page: the session goes on.
const press = (page) => document.querySelectorAll(".st-key-ways a")[page]?.click();

export default function ({ data, setTriggerValue }) {
  const go = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const way = event.target.closest?.("[data-way]");
    if (!way || !document.querySelector(".st-key-ways a")) return;
    event.preventDefault();
    if (way.dataset.set) setTriggerValue("go", way.dataset.set);
    else press(Number(way.dataset.way));
  };
  document.addEventListener("click", go);
  if (data.turn > (window.mmvaeWent ?? 0)) {
    window.mmvaeWent = data.turn;
    setTimeout(() => press(data.page), 0);
  }
  return () => document.removeEventListener("click", go);
}
