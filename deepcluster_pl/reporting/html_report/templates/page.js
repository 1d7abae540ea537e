"use strict";
(() => {
  const map = document.getElementById("map");
  const showAllButton = document.getElementById("all");
  const legend = document.getElementById("legend");
  const cards = document.getElementById("cards");

  // Show one cluster alone, on the map, in the legend and among the cards; null shows all.
  const showCluster = (number, scroll) => {
    map.classList.toggle("chosen", number !== null);
    map.querySelectorAll("circle").forEach(point => point.classList.toggle("on", point.dataset.k === number));
    legend.querySelectorAll("button").forEach(button => button.setAttribute("aria-pressed", String(button.dataset.k === number)));
    cards.querySelectorAll(".card").forEach(card => card.classList.toggle("on", card.dataset.number === number));
    showAllButton.hidden = number === null;
    if (number !== null && scroll) document.getElementById("cluster-" + number).scrollIntoView({ block: "nearest" });
  };
  legend.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) showCluster(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.k, false);
  });
  map.addEventListener("click", event => {
    const point = event.target.closest("circle");
    const hasCard = Boolean(point) && document.getElementById("cluster-" + point.dataset.k) !== null;
    showCluster(point ? point.dataset.k : null, hasCard);
  });
  cards.addEventListener("click", event => {
    const card = event.target.closest(".card");
    // A click that selects text is not a choice
    if (card && !String(window.getSelection())) showCluster(card.classList.contains("on") ? null : card.dataset.number, false);
  });
  showAllButton.addEventListener("click", () => showCluster(null, false));

  // Sort the legend and the cards: numbers ascending, sizes and probabilities descending.
  document.getElementById("sort").addEventListener("change", event => {
    const key = event.target.value;
    const sign = key === "number" ? 1 : -1;
    for (const list of [legend, cards]) {
      [...list.children].sort((a, b) => sign * (a.dataset[key] - b.dataset[key])).forEach(child => list.append(child));
    }
  });
})();
