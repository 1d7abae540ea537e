"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const byId = id => document.getElementById(id);
  const n = facts.ids.length;
  let K = facts.sizes.length;
  const create = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const pictureUri = i => "data:image/jpeg;base64," + facts.thumbnails[i];
  const storageKey = "deepcluster-gallery-" + facts.partition;

  // Levels: those above the chosen one merge its groups, the fine one has smaller groups of its own.
  const levels = facts.levels, offered = levels ? levels.offered : [{ kind: "chosen", name: "" }];
  let level = offered.findIndex(one => one.kind === "chosen");
  const views = { chosen: { cluster: facts.cluster, sizes: facts.sizes, colors: facts.colors, names: facts.names, outside: facts.outside } };
  if (levels) {
    const hasOutside = facts.outside !== null, also = value => hasOutside ? [value] : [];
    views.fine = { cluster: levels.cell, sizes: [...levels.sizes, ...also(facts.sizes[facts.outside])], colors: [...levels.colors, ...also(facts.colors[facts.outside])], names: [...levels.names, ...also("")], outside: hasOutside ? levels.sizes.length : null };
  }
  const useView = () => {
    Object.assign(facts, views[offered[level].kind] || views.chosen);
    K = facts.sizes.length;
  };
  const coordinatesOf = i => facts.coordinates[i].map((degrees, axis) => Math.abs(degrees).toFixed(1) + "° " + "NSEW"[2 * axis + (degrees < 0)]).join(", ");
  const placeName = i => facts.towns[i] ? facts.towns[i][0] : coordinatesOf(i);
  const titleOf = k => offered[level].kind === "fine" ? levels.titles[k] : "Group " + k;

  // Choices: the name of each group, the cluster that each one is merged into, and what can go.
  const noChoices = () => ({ names: [...facts.names], into: [...Array(K).keys()], gone: Array(K).fill(false), pictures: new Set() });
  const mergedAs = groups => {
    const next = noChoices();
    for (const [first, ...others] of groups) {
      for (const k of others) next.into[k] = first;
      const called = [...new Set([first, ...others].map(k => facts.names[k]).filter(Boolean))];
      if (others.length) next.names[first] = called.slice(0, 3).join(" · ");
    }
    return next;
  };
  let state = noChoices();
  const states = [];  // of each level that was looked at
  const useLevel = place => {
    states[level] = state;
    level = place;
    useView();
    const { pictures, others } = state;
    state = states[level] || (/coarse/.test(offered[level].kind) ? mergedAs(offered[level].groups) : noChoices());
    Object.assign(state, { pictures, others });
    expanded.clear();
    document.querySelectorAll("#levels input").forEach((input, i) => { input.checked = i === level; });
  };
  const groupOf = k => { while (state.into[k] !== k) k = state.into[k]; return k; };
  const clustersIn = k => [...Array(K).keys()].filter(other => groupOf(other) === k);
  const plainTitle = k => k === facts.outside ? "In no group" : titleOf(k);
  const groupTitle = k => state.names[k] || plainTitle(k);
  // Pictures in no group have cluster -1 in every file, and the last place here.
  const saved = k => k === facts.outside ? -1 : k, opened = k => k === -1 && facts.outside !== null ? facts.outside : k;

  const choices = () => ({
    schema: 1,
    partition: facts.partition,
    level: offered[level].kind,
    groups: [...Array(K).keys()].filter(k => groupOf(k) === k && facts.sizes[k] + clustersIn(k).length > 1)
      .map(k => ({ clusters: [k, ...clustersIn(k).filter(other => other !== k)].map(saved), name: state.names[k], can_go: state.gone[k] })),
    can_go: [...state.pictures].sort((a, b) => a - b).map(i => facts.ids[i]).concat(state.others || []),
  });
  const useChoices = found => {
    if (found === null || typeof found !== "object" || found.schema !== 1 || !Array.isArray(found.groups) || !Array.isArray(found.can_go)) throw new Error("This file holds no gallery choices.");
    if (found.partition !== facts.partition) throw new Error("These choices were made in the gallery of another run.");
    const kind = found.level === undefined ? "chosen" : found.level, at = offered.findIndex(one => one.kind === kind);
    if (at < 0) throw new Error("These choices are of a level that this gallery does not have.");
    useLevel(at);
    const next = noChoices(), place = new Map(facts.ids.map((id, i) => [id, i]));
    for (const group of found.groups) {
      const clusters = group.clusters.map(opened).filter(k => Number.isInteger(k) && k >= 0 && k < K);
      if (!clusters.length) continue;
      for (const k of clusters) next.into[k] = clusters[0];
      next.names[clusters[0]] = String(group.name || "");  // an empty name was made empty by a person
      next.gone[clusters[0]] = group.can_go === true;
    }
    next.others = found.can_go.filter(id => !place.has(id));
    for (const id of found.can_go) if (place.has(id)) next.pictures.add(place.get(id));
    state = next;
  };
  const remember = () => {
    byId("save").classList.add("dirty");
    try { localStorage.setItem(storageKey, JSON.stringify(choices())); } catch { /* a browser may forbid it; Save still works */ }
  };

  const expanded = new Set();

{% include "filters.js" %}

{% include "timeline.js" %}

  // A thumbnail gets its picture when it comes into view.
  const watcher = new IntersectionObserver(entries => entries.forEach(entry => {
    if (!entry.isIntersecting) return;
    watcher.unobserve(entry.target);
    entry.target.querySelector("img").src = pictureUri(entry.target.dataset.i);
  }), { rootMargin: "400px" });
  const thumbnail = i => {
    const button = create("button", { type: "button", className: "thumb", title: facts.ids[i] }, create("img", { alt: facts.ids[i] }));
    button.dataset.i = i;
    button.classList.toggle("gone", state.pictures.has(i));
    button.addEventListener("click", () => enlarge(i));
    watcher.observe(button);
    return button;
  };

  // Cards.
  const makeCard = (k, members) => {
    const article = create("article", { className: "card" });
    article.dataset.number = k;
    article.style.setProperty("--own", facts.colors[k]);
    article.classList.toggle("gone", state.gone[k]);
    const name = create("input", { value: state.names[k], placeholder: plainTitle(k), maxLength: 80 });
    name.setAttribute("aria-label", k === facts.outside ? "Name of the pictures in no group" : "Name of " + titleOf(k).toLowerCase());
    name.addEventListener("change", () => { state.names[k] = name.value.trim(); remember(); drawCards(); });
    const size = clustersIn(k).reduce((sum, other) => sum + facts.sizes[other], 0);
    const dates = members.map(i => dated[i]).filter(Boolean).sort();
    const span = dates.length ? " · " + dates[0] + (dates[dates.length - 1] === dates[0] ? "" : " to " + dates[dates.length - 1]) : "";
    const some = expanded.has(k) ? members : members.slice(0, 18);
    article.append(
      create("div", { className: "head" }, name),
      create("p", { className: "quiet", textContent: (members.length === size ? "" : members.length.toLocaleString("en") + " of ") + size.toLocaleString("en") + " pictures" + span }),
      create("div", { className: "mosaic" }, ...some.map(thumbnail)),
    );
    if (members.length > 18) {
      const more = create("button", { type: "button", className: "more", textContent: expanded.has(k) ? "Show fewer" : "Show all " + members.length.toLocaleString("en") });
      more.addEventListener("click", () => { expanded.has(k) ? expanded.delete(k) : expanded.add(k); drawCards(); });
      article.append(more);
    }
    const doubtful = members.filter(i => facts.doubt[i] > facts.doubtful_above).sort((a, b) => facts.doubt[b] - facts.doubt[a]).slice(0, 6);
    if (doubtful.length) article.append(create("h4", { textContent: "Doubtful" }), create("div", { className: "mosaic" }, ...doubtful.map(thumbnail)));
    const merge = create("select", {}, create("option", { value: "", textContent: "merge into …" }), ...shownGroups().filter(other => other !== k).map(other => create("option", { value: other, textContent: groupTitle(other) })));
    merge.setAttribute("aria-label", "Merge " + groupTitle(k) + " into another group");
    merge.addEventListener("change", () => { state.into[k] = Number(merge.value); state.gone[k] = false; remember(); applyFilters(); });
    const edit = create("div", { className: "edit" }, merge);
    if (clustersIn(k).length > 1) {
      const split = create("button", { type: "button", className: "split", textContent: "split into " + clustersIn(k).length + " groups" });
      split.addEventListener("click", () => { for (const other of clustersIn(k)) state.into[other] = other; remember(); applyFilters(); });
      edit.append(split);
    }
    const gone = create("input", { type: "checkbox", checked: state.gone[k] });
    gone.addEventListener("change", () => { state.gone[k] = gone.checked; article.classList.toggle("gone", gone.checked); remember(); });
    edit.append(create("label", { className: "can-go" }, gone, " can go"));
    article.append(edit);
    return article;
  };
  const shownGroups = () => [...Array(K).keys()].filter(k => groupOf(k) === k && facts.sizes[k] > 0);
  const drawCards = () => {
    const members = new Map(shownGroups().map(k => [k, []]));
    for (const i of visible) members.get(groupOf(facts.cluster[i])).push(i);
    const order = [...members].filter(([, some]) => some.length || visible.length === n).sort((a, b) => b[1].length - a[1].length);
    byId("cards").replaceChildren(...order.filter(([k]) => k !== facts.outside).map(([k, some]) => makeCard(k, some)));
    const apart = order.filter(([k]) => k === facts.outside);
    byId("outside").hidden = apart.length === 0;
    byId("apart").replaceChildren(...apart.map(([k, some]) => makeCard(k, some)));
  };

  // Near-duplicates.
  const markPicture = (i, yes) => { yes ? state.pictures.add(i) : state.pictures.delete(i); remember(); };
  const drawNearDuplicates = () => {
    byId("copies").hidden = facts.near_duplicates.length === 0;
    const makeSet = (some, number) => create("div", { className: "set" }, create("p", { className: "quiet kind", textContent: facts.certain[number] ? "The same picture" : "They look alike; compare them first" }), ...some.map((i, rank) => {
      const box = create("input", { type: "checkbox", checked: state.pictures.has(i) });
      const small = thumbnail(i);
      box.addEventListener("change", () => { markPicture(i, box.checked); small.classList.toggle("gone", box.checked); });
      return create("figure", {}, small, create("figcaption", {}, facts.ids[i], create("br"), facts.sizes_px[i].join(" × ") + (rank === 0 && facts.certain[number] ? " · the best" : ""), create("br"), create("label", {}, box, " can go")));
    }));
    byId("sets").replaceChildren(...facts.near_duplicates.map(makeSet));
  };

{% include "large_view.js" %}

{% include "map.js" %}

  // Saving and opening.
  byId("save").addEventListener("click", () => {
    const link = create("a", { href: URL.createObjectURL(new Blob([JSON.stringify(choices(), null, 1) + "\n"], { type: "application/json" })), download: "gallery.json" });
    link.click();
    URL.revokeObjectURL(link.href);
    byId("save").classList.remove("dirty");
  });
  byId("open").addEventListener("change", async event => {
    const [file] = event.target.files;
    if (!file) return;
    try { useChoices(JSON.parse(await file.text())); remember(); applyFilters(); drawNearDuplicates(); } catch (error) { alert(error instanceof SyntaxError ? "This file is not JSON." : error.message); }
    event.target.value = "";
  });
  if (levels) {
    byId("levels").hidden = false;
    byId("levels").append(...offered.map((one, i) => create("label", {}, create("input", { type: "radio", name: "level", value: i, checked: i === level }), create("span", { textContent: one.name }))));
    byId("levels").addEventListener("change", event => { useLevel(Number(event.target.value)); remember(); applyFilters(); });
  }
  for (const id of ["find", "from", "to", "place"]) for (const kind of ["input", "change"]) byId(id).addEventListener(kind, applyFilters);
  try { const kept = localStorage.getItem(storageKey); if (kept) { useChoices(JSON.parse(kept)); byId("save").classList.add("dirty"); } } catch { /* stored choices may be damaged; the page then starts without any */ }
  byId("filters").open = window.innerWidth > 760;  // folded on a phone
  applyFilters();
  drawNearDuplicates();
})();
