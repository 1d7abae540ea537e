"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const byId = id => document.getElementById(id);
  const n = facts.ids.length, K = facts.sizes.length;
  const create = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const pictureUri = i => "data:image/jpeg;base64," + facts.thumbnails[i];
  const storageKey = "deepcluster-gallery-" + facts.partition;

  // Choices: the name of each group, the cluster that each one is merged into, and what can go.
  const noChoices = () => ({ names: [...facts.names], into: [...Array(K).keys()], gone: Array(K).fill(false), pictures: new Set() });
  let state = noChoices();
  const groupOf = k => { while (state.into[k] !== k) k = state.into[k]; return k; };
  const clustersIn = k => [...Array(K).keys()].filter(other => groupOf(other) === k);
  const groupTitle = k => state.names[k] || "Group " + k;

  const choices = () => ({
    schema: 1,
    partition: facts.partition,
    groups: [...Array(K).keys()].filter(k => groupOf(k) === k && facts.sizes[k] + clustersIn(k).length > 1)
      .map(k => ({ clusters: [k, ...clustersIn(k).filter(other => other !== k)], name: state.names[k], can_go: state.gone[k] })),
    can_go: [...state.pictures].sort((a, b) => a - b).map(i => facts.ids[i]).concat(state.others || []),
  });
  const useChoices = found => {
    if (found === null || typeof found !== "object" || found.schema !== 1 || !Array.isArray(found.groups) || !Array.isArray(found.can_go)) throw new Error("This file holds no gallery choices.");
    if (found.partition !== facts.partition) throw new Error("These choices were made in the gallery of another run.");
    const next = noChoices(), place = new Map(facts.ids.map((id, i) => [id, i]));
    for (const group of found.groups) {
      const clusters = group.clusters.filter(k => Number.isInteger(k) && k >= 0 && k < K);
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

  // Filters.
  const places = new Map();
  facts.coordinates.forEach((at, i) => {
    if (!at) return;
    const name = Math.abs(at[0]).toFixed(1) + "° " + (at[0] < 0 ? "S" : "N") + ", " + Math.abs(at[1]).toFixed(1) + "° " + (at[1] < 0 ? "W" : "E");
    if (!places.has(name)) places.set(name, new Set());
    places.get(name).add(i);
  });
  [...places].sort((a, b) => b[1].size - a[1].size).forEach(([name, some]) => byId("place").append(create("option", { value: name, textContent: name + " (" + some.size + ")" })));
  byId("at").hidden = places.size === 0;
  for (const id of ["from", "to"]) byId(id).parentElement.hidden = !facts.taken.some(Boolean);
  let visible = [];
  const applyFilters = () => {
    const text = byId("find").value.toLowerCase(), from = byId("from").value, to = byId("to").value, at = places.get(byId("place").value);
    visible = [];
    for (let i = 0; i < n; i++) {
      const day = facts.taken[i].slice(0, 10);
      if ((text && !facts.ids[i].toLowerCase().includes(text)) || ((from || to) && !day) || (from && day < from) || (to && day > to) || (at && !at.has(i))) continue;
      visible.push(i);
    }
    byId("count").textContent = visible.length === n ? n.toLocaleString("en") + " pictures" : visible.length.toLocaleString("en") + " of " + n.toLocaleString("en");
    drawCards();
    drawMap();
  };

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
  const expanded = new Set();
  const makeCard = (k, members) => {
    const article = create("article", { className: "card" });
    article.dataset.number = k;
    article.style.setProperty("--own", facts.colors[k]);
    article.classList.toggle("gone", state.gone[k]);
    const name = create("input", { value: state.names[k], placeholder: "Group " + k, maxLength: 80 });
    name.setAttribute("aria-label", "Name of group " + k);
    name.addEventListener("change", () => { state.names[k] = name.value.trim(); remember(); drawCards(); });
    const size = clustersIn(k).reduce((sum, other) => sum + facts.sizes[other], 0);
    const days = members.map(i => facts.taken[i].slice(0, 10)).filter(Boolean).sort();
    const span = days.length ? " · " + days[0] + (days[days.length - 1] === days[0] ? "" : " to " + days[days.length - 1]) : "";
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
    byId("cards").replaceChildren(...order.map(([k, some]) => makeCard(k, some)));
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

  // One picture, enlarged: its thumbnail first, then its own file.
  let current = 0;
  const enlarge = i => {
    current = i;
    byId("original").href = facts.root + "/" + facts.urls[i];
    byId("picture").src = pictureUri(i);
    const full = new Image();
    full.onload = () => { if (current === i) byId("picture").src = full.src; };
    full.src = facts.root + "/" + facts.urls[i];
    byId("picture").alt = facts.ids[i];
    byId("about").textContent = [facts.ids[i], groupTitle(groupOf(facts.cluster[i])) + ", probability " + facts.probability[i], facts.sizes_px[i].join(" × ") + (facts.taken[i] ? " · " + facts.taken[i].replace("T", " ") : "")].join("\n");
    byId("mark").checked = state.pictures.has(i);
    byId("large").showModal();
  };
  byId("mark").addEventListener("change", () => { markPicture(current, byId("mark").checked); drawNearDuplicates(); drawCards(); });

  // The map.
  const canvas = byId("map"), pen = canvas.getContext("2d");
  const xs = facts.places.map(p => p[0]), ys = facts.places.map(p => p[1]);
  const span = values => { const low = Math.min(...values), high = Math.max(...values); return [low, high - low || 1]; };
  const [left, wide] = n ? span(xs) : [0, 1], [bottom, high] = n ? span(ys) : [0, 1];
  const view = { x: 0.5, y: 0.5, scale: 1 };
  const images = new Map();
  const screenPlace = i => {
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    return [canvas.clientWidth / 2 + ((xs[i] - left) / wide - view.x) * side, canvas.clientHeight / 2 - ((ys[i] - bottom) / high - view.y) * side];
  };
  let onScreen = [];
  const drawMap = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.scale(ratio, ratio);
    onScreen = visible.map(i => [i, ...screenPlace(i)]).filter(([, x, y]) => x > -60 && y > -60 && x < canvas.clientWidth + 60 && y < canvas.clientHeight + 60);
    const side = Math.max(44, Math.min(96, 0.65 * Math.sqrt(canvas.clientWidth * canvas.clientHeight / (onScreen.length + 1))));
    const taken = new Set(), pictured = [];  // a cell shows one picture; the others are dots below it
    for (const [i, x, y] of onScreen) {
      const cell = Math.floor(x / side) + "," + Math.floor(y / side);
      if (taken.has(cell)) {
        pen.fillStyle = facts.colors[groupOf(facts.cluster[i])];
        pen.globalAlpha = 0.8;
        pen.beginPath();
        pen.arc(x, y, 3.5, 0, 7);
        pen.fill();
        pen.globalAlpha = 1;
      } else {
        taken.add(cell);
        pictured.push([i, x, y]);
      }
    }
    for (const [i, x, y] of pictured) {
      let image = images.get(i);
      if (!image) { image = new Image(); image.onload = drawSoon; image.src = pictureUri(i); images.set(i, image); }
      const scale = 0.85 * side / Math.max(image.naturalWidth || 1, image.naturalHeight || 1), w = (image.naturalWidth || 1) * scale, h = (image.naturalHeight || 1) * scale;
      pen.fillStyle = facts.colors[groupOf(facts.cluster[i])];
      pen.fillRect(x - w / 2 - 2, y - h / 2 - 2, w + 4, h + 4);
      if (image.complete && image.naturalWidth) pen.drawImage(image, x - w / 2, y - h / 2, w, h);
    }
    canvas.dataset.pictures = pictured.length;
  };
  let isQueued = false;
  const drawSoon = () => { if (!isQueued) { isQueued = true; requestAnimationFrame(() => { isQueued = false; drawMap(); }); } };
  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const side = () => Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    const dx = (x - canvas.clientWidth / 2), dy = (canvas.clientHeight / 2 - y), before = side();
    view.scale = Math.min(200, Math.max(0.5, view.scale * factor));
    view.x += dx / before - dx / side();
    view.y += dy / before - dy / side();
    drawSoon();
  };
  canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY); }, { passive: false });
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); pointers.set(event.pointerId, [event.offsetX, event.offsetY]); moved = 0; });
  canvas.addEventListener("pointermove", event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.offsetX, event.offsetY], others = [...pointers].filter(([id]) => id !== event.pointerId);
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    if (others.length) {
      const [, other] = others[0], far = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      zoom(far(now) / Math.max(1, far(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else {
      view.x -= (now[0] - before[0]) / side;
      view.y += (now[1] - before[1]) / side;
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    pointers.set(event.pointerId, now);
    drawSoon();
  });
  canvas.addEventListener("pointerup", event => {
    pointers.delete(event.pointerId);
    if (moved > 5) return;
    const closest = onScreen.map(([i, x, y]) => [Math.hypot(x - event.offsetX, y - event.offsetY), i]).sort((a, b) => a[0] - b[0])[0];
    if (closest && closest[0] < 48) enlarge(closest[1]);
  });
  canvas.addEventListener("pointercancel", event => pointers.delete(event.pointerId));
  canvas.addEventListener("keydown", event => {
    const step = 0.1 / view.scale, moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.4 : 1 / 1.4);
    else if (moves[event.key]) { view.x += moves[event.key][0]; view.y += moves[event.key][1]; event.preventDefault(); drawSoon(); }
  });
  byId("in").addEventListener("click", () => zoom(1.6));
  byId("out").addEventListener("click", () => zoom(1 / 1.6));
  byId("whole").addEventListener("click", () => { Object.assign(view, { x: 0.5, y: 0.5, scale: 1 }); drawSoon(); });
  new ResizeObserver(drawSoon).observe(canvas);

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
  for (const id of ["find", "from", "to", "place"]) for (const kind of ["input", "change"]) byId(id).addEventListener(kind, applyFilters);
  try { const kept = localStorage.getItem(storageKey); if (kept) { useChoices(JSON.parse(kept)); byId("save").classList.add("dirty"); } } catch { /* stored choices may be damaged; the page then starts without any */ }
  applyFilters();
  drawNearDuplicates();
})();
