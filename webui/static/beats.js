// Says of each finding in the bar of a service's page what the server tells in data-told: texts, the newest last, which
// live.js renews with the page. By pointing, touching, or arrow keys. Loaded by that page alone.
"use strict";

const own = document.getElementById("beats-own");
const SHOWN = 100; // as many as the bar has places; they fill it from the right

function made(name, attributes = {}) {
  const element = Object.assign(document.createElement("div"), { className: name });
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

if (own) {
  // Readers hear the text as the slider's value; what is drawn beside it is for those who see.
  const slider = made("beat-slider", { role: "slider", tabindex: "0", "aria-label": "Findings, one by one", "aria-valuemin": "1" });
  const mark = made("beat-mark", { "aria-hidden": "true" }), tip = made("beat-tip", { "aria-hidden": "true" });
  let told = [], at = 0;

  function hide() { mark.hidden = tip.hidden = true; }
  function choose(number) {
    at = Math.max(0, Math.min(told.length - 1, number));
    slider.setAttribute("aria-valuenow", String(at + 1));
    slider.setAttribute("aria-valuetext", told[at] ?? "");
  }
  function show(number) {
    choose(number);
    const middle = ((SHOWN - told.length + at + 0.5) / SHOWN) * own.parentElement.clientWidth;
    mark.hidden = tip.hidden = false;
    mark.style.left = `${middle}px`;
    tip.textContent = told[at];
    tip.style.left = "0";
    tip.style.left = `${Math.max(0, Math.min(middle - tip.offsetWidth / 2, own.parentElement.clientWidth - tip.offsetWidth))}px`;
  }
  function read() {
    const before = told.length;
    told = JSON.parse(own.dataset.told);
    slider.hidden = !told.length;
    slider.setAttribute("aria-valuemax", String(told.length));
    if (!told.length) hide();
    else if (tip.hidden) choose(before ? at : told.length - 1);
    else show(at);
  }
  function pointed(event) {
    const box = slider.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * SHOWN) - SHOWN + told.length);
  }

  const KEYS = { ArrowLeft: () => at - 1, ArrowDown: () => at - 1, ArrowRight: () => at + 1, ArrowUp: () => at + 1, Home: () => 0, End: () => told.length - 1 };
  slider.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    else if (KEYS[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) { event.preventDefault(); show(KEYS[event.key]()); }
  });
  slider.addEventListener("pointermove", pointed);
  slider.addEventListener("pointerdown", pointed);
  // A finger that is lifted leaves, too; what it chose stays until something else is.
  slider.addEventListener("pointerleave", () => { if (document.activeElement !== slider) hide(); });
  slider.addEventListener("focus", () => show(at));
  slider.addEventListener("blur", hide);
  addEventListener("resize", () => { if (!tip.hidden) show(at); });

  own.replaceChildren(slider, mark, tip);
  hide();
  read();
  new MutationObserver(read).observe(own, { attributeFilter: ["data-told"] });
}
