"use strict";
(() => {
  const map = document.getElementById("map");
  const showAllButton = document.getElementById("all");
  const legend = document.getElementById("legend");
  const cards = document.getElementById("cards");
  const sort = document.getElementById("sort");

  // Show one group alone, on the map, in the legend and among the cards; null shows all.
  const showGroup = (number, scroll) => {
    map.classList.toggle("chosen", number !== null);
    map.querySelectorAll("circle").forEach(point => point.classList.toggle("on", point.dataset.k === number));
    legend.querySelectorAll("button").forEach(button => button.setAttribute("aria-pressed", String(button.dataset.k === number)));
    cards.querySelectorAll("[data-k]").forEach(card => card.classList.toggle("on", card.dataset.k === number));
    showAllButton.hidden = number === null;
    const card = number === null ? null : cards.querySelector(`[data-k="${number}"]`);
    if (card && scroll) card.scrollIntoView({ block: "nearest" });
  };
  cards.querySelectorAll(".card").forEach(card => { card.dataset.k = card.dataset.number; });
  legend.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) showGroup(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.k, false);
  });
  map.addEventListener("click", event => {
    const point = event.target.closest("circle");
    showGroup(point ? point.dataset.k : null, Boolean(point));
  });
  cards.addEventListener("click", event => {
    const card = event.target.closest("[data-k]");
    // A click that selects text is not a choice
    if (card && !String(window.getSelection())) showGroup(card.classList.contains("on") ? null : card.dataset.k, false);
  });
  showAllButton.addEventListener("click", () => showGroup(null, false));

  // Sort the legend and the cards: numbers ascending, sizes and probabilities descending.
  const sortLists = () => {
    const key = sort.value;
    const sign = key === "number" ? 1 : -1;
    for (const list of [legend, cards, ...cards.querySelectorAll(".family > div")]) {
      [...list.children].sort((a, b) => sign * (a.dataset[key] - b.dataset[key])).forEach(child => list.append(child));
    }
  };
  sort.addEventListener("change", sortLists);

  // Levels: regroup map, legend and cards, without a reload.
  const stored = document.getElementById("level-facts");
  if (!stored) return;
  const facts = JSON.parse(stored.textContent);
  const whole = [...cards.querySelectorAll(".card")];
  const parts = [...document.getElementById("parts").content.querySelectorAll(".card")];
  const entries = [...legend.children];
  const colors = new Map([...map.querySelectorAll("circle")].map(point => [point, [point.dataset.k, point.getAttribute("fill")]]));
  const create = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const confidenceOf = some => {
    const size = some.reduce((sum, card) => sum + Number(card.dataset.size), 0);
    return size ? some.reduce((sum, card) => sum + card.dataset.size * card.dataset.confidence, 0) / size : 0;
  };
  const describe = (element, number, group, confidence) => Object.assign(element.dataset, { number, size: group.size, confidence });
  const family = (number, group, members, text) => {
    const box = create("section", { className: "family" }, create("h3", { textContent: group.title }), create("p", { className: "quiet", textContent: text }), create("div", {}, ...members));
    describe(box, number, group, confidenceOf(members));
    box.style.setProperty("--own", group.color);
    return box;
  };
  const entry = (number, group, largest, confidence) => {
    const dot = create("i", {}), bar = create("u", {}), button = create("button", { type: "button", title: group.title }, dot, create("b", { textContent: group.short }), create("span", { className: "bar" }, bar), create("span", { className: "number", textContent: group.size.toLocaleString("en") }));
    dot.style.background = bar.style.background = group.color;
    bar.style.width = 100 * group.size / largest + "%";
    button.dataset.k = number;
    button.setAttribute("aria-pressed", "false");
    const item = create("li", {}, button);
    describe(item, number, group, confidence);
    return item;
  };
  const count = (n, noun) => n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s");
  const useLevel = place => {
    const level = facts.levels[place], isChosen = place === facts.chosen;
    const outside = whole.filter(card => Number(card.dataset.number) < 0);
    const groups = level.groups.map((group, number) => [number, group]).filter(([, group]) => group.size > 0);
    const cardOf = new Map(whole.map(card => [Number(card.dataset.number), card]));
    const partOf = new Map(parts.map(card => [Number(card.dataset.number), card]));
    // Points: the group and its color
    for (const [point, [cluster, color]] of colors) {
      const cell = Number(point.dataset.c);
      const number = cell < 0 ? -1 : isChosen ? Number(cluster) : level.group_of_cell[cell];
      point.dataset.k = number;
      point.setAttribute("fill", number < 0 || isChosen ? color : level.groups[number].color);
    }
    // Cards: those of clusters, in a box for each coarse group, or beside the parts of a split one
    for (const card of whole) card.dataset.k = card.dataset.number;
    const shown = [];
    const confidence = new Map();
    if (level.kind === "fine") {
      const cells = new Map();
      for (const [number, group] of groups) cells.set(group.clusters[0], [...(cells.get(group.clusters[0]) || []), number]);
      for (const [cluster, some] of cells) {
        const members = some.length > 1 ? some.map(cell => partOf.get(cell)).filter(Boolean) : [cardOf.get(cluster)].filter(Boolean);
        members.forEach(card => { card.dataset.k = some.length > 1 ? card.dataset.number : some[0]; });
        some.forEach((cell, i) => confidence.set(cell, members[i] ? Number(members[i].dataset.confidence) : 0));
        const size = some.reduce((sum, cell) => sum + level.groups[cell].size, 0);
        const of = facts.levels[facts.chosen].groups[cluster];
        if (some.length > 1) shown.push(family(cluster, of, members, count(size, "sample") + " in " + some.length + " parts"));
        else shown.push(...members);
      }
    } else if (!isChosen) {
      for (const [number, group] of groups) {
        const members = group.clusters.map(k => cardOf.get(k)).filter(Boolean);
        members.forEach(card => { card.dataset.k = number; });
        confidence.set(number, confidenceOf(members));
        shown.push(members.length > 1 ? family(number, group, members, count(group.size, "sample") + " in " + count(group.clusters.length, "cluster")) : members[0]);
      }
    } else shown.push(...whole.filter(card => Number(card.dataset.number) >= 0));
    cards.replaceChildren(...shown.filter(Boolean), ...outside);
    // Legend
    const largest = Math.max(...groups.map(([, group]) => group.size), 1);
    legend.classList.toggle("wide", !isChosen);
    legend.replaceChildren(...(isChosen ? entries : [...groups.map(([number, group]) => entry(number, group, largest, confidence.get(number) || 0)), ...entries.filter(item => Number(item.dataset.number) < 0)]));
    sortLists();
    showGroup(null, false);
  };
  const levels = document.getElementById("levels");
  levels.hidden = false;  // without this script the buttons would do nothing
  levels.addEventListener("change", event => useLevel(Number(event.target.value)));
  levels.querySelectorAll("input").forEach((input, i) => { input.checked = i === facts.chosen; });  // a browser may remember another
})();
