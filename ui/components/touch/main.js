// Cards of items answer a click, Enter or the space bar; the map glides once after a new mask.
const PATIENCE_MS = 8000;

function glide(label) {
  const end = performance.now() + PATIENCE_MS;
  const look = () => {
    const button = [...document.querySelectorAll(".updatemenu-button")]
      .find((one) => one.textContent.includes(label));
    if (button) button.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else if (performance.now() < end) requestAnimationFrame(look);
  };
  look();
}

export default function ({ data, setTriggerValue }) {
  const take = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    const card = event.target.closest?.("[data-item]");
    if (!card) return;
    event.preventDefault();
    setTriggerValue("item", Number(card.dataset.item));
  };
  document.addEventListener("click", take);
  document.addEventListener("keydown", take);
  if (data.glide !== window.mmvaeGlided) {
    window.mmvaeGlided = data.glide;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (data.glide && !still) glide(data.glide);
  }
  return () => {
    document.removeEventListener("click", take);
    document.removeEventListener("keydown", take);
  };
}
