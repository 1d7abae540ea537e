"use strict";
(() => {
  const map = document.getElementById("map");
  const all = document.getElementById("all");
  const legend = document.getElementById("legend");
  const cards = document.getElementById("cards");

  const choose = (number, scroll) => {
    map.classList.toggle("chosen", number !== null);
    map.querySelectorAll("circle").forEach(point => point.classList.toggle("on", point.dataset.k === number));
    legend.querySelectorAll("button").forEach(button => button.setAttribute("aria-pressed", String(button.dataset.k === number)));
    cards.querySelectorAll(".card").forEach(card => card.classList.toggle("on", card.dataset.number === number));
    all.hidden = number === null;
    if (number !== null && scroll) document.getElementById("cluster-" + number).scrollIntoView({ block: "nearest" });
  };
  legend.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) choose(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.k, false);
  });
  map.addEventListener("click", event => {
    const point = event.target.closest("circle");
    choose(point ? point.dataset.k : null, Boolean(point) && document.getElementById("cluster-" + point.dataset.k) !== null);
  });
  cards.addEventListener("click", event => {
    const card = event.target.closest(".card");
    if (card && !String(window.getSelection())) choose(card.classList.contains("on") ? null : card.dataset.number, false);
  });
  all.addEventListener("click", () => choose(null, false));
  document.getElementById("sort").addEventListener("change", event => {
    const key = event.target.value;
    const sign = key === "number" ? 1 : -1;
    for (const list of [legend, cards]) {
      [...list.children].sort((one, other) => sign * (one.dataset[key] - other.dataset[key])).forEach(child => list.append(child));
    }
  });
})();
