"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const get = id => document.getElementById(id);
  const n = facts.ids.length, K = facts.sizes.length;
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const data = i => "data:image/jpeg;base64," + facts.thumbnails[i];
  const memory = "deepcluster-gallery-" + facts.partition;

  // What the person chose: names, which group lies in which other, what can go.
  const fresh = () => ({ names: Array(K).fill(""), into: [...Array(K).keys()], gone: Array(K).fill(false), pictures: new Set() });
  let state = fresh();
  const root = k => { while (state.into[k] !== k) k = state.into[k]; return k; };
  const parts = k => [...Array(K).keys()].filter(other => root(other) === k);
  const title = k => state.names[k] || "Group " + k;

  const choices = () => ({
    schema: 1,
    partition: facts.partition,
    groups: [...Array(K).keys()].filter(k => root(k) === k && facts.sizes[k] + parts(k).length > 1)
      .map(k => ({ clusters: [k, ...parts(k).filter(other => other !== k)], name: state.names[k], can_go: state.gone[k] })),
    can_go: [...state.pictures].sort((a, b) => a - b).map(i => facts.ids[i]).concat(state.others || []),
  });
  const take = found => {
    if (found === null || typeof found !== "object" || found.schema !== 1 || !Array.isArray(found.groups) || !Array.isArray(found.can_go)) throw new Error("This file holds no choices of a gallery.");
    if (found.partition !== facts.partition) throw new Error("These choices were made in the gallery of another run.");
    const next = fresh(), place = new Map(facts.ids.map((id, i) => [id, i]));
    for (const group of found.groups) {
      const clusters = group.clusters.filter(k => Number.isInteger(k) && k >= 0 && k < K);
      if (!clusters.length) continue;
      for (const k of clusters) next.into[k] = clusters[0];
      next.names[clusters[0]] = String(group.name || "");
      next.gone[clusters[0]] = group.can_go === true;
    }
    next.others = found.can_go.filter(id => !place.has(id));
    for (const id of found.can_go) if (place.has(id)) next.pictures.add(place.get(id));
    state = next;
  };
  const remember = () => {
    get("save").classList.add("dirty");
    try { localStorage.setItem(memory, JSON.stringify(choices())); } catch { /* a browser may forbid it; Save still works */ }
  };

  // Filters.
  const places = new Map();
  facts.where.forEach((at, i) => {
    if (!at) return;
    const name = Math.abs(at[0]).toFixed(1) + "° " + (at[0] < 0 ? "S" : "N") + ", " + Math.abs(at[1]).toFixed(1) + "° " + (at[1] < 0 ? "W" : "E");
    if (!places.has(name)) places.set(name, new Set());
    places.get(name).add(i);
  });
  [...places].sort((a, b) => b[1].size - a[1].size).forEach(([name, some]) => get("place").append(make("option", { value: name, textContent: name + " (" + some.size + ")" })));
  get("at").hidden = places.size === 0;
  for (const id of ["from", "to"]) get(id).parentElement.hidden = !facts.taken.some(Boolean);
  let seen = [];
  const filter = () => {
    const text = get("find").value.toLowerCase(), from = get("from").value, to = get("to").value, at = places.get(get("place").value);
    seen = [];
    for (let i = 0; i < n; i++) {
      const day = facts.taken[i].slice(0, 10);
      if ((text && !facts.ids[i].toLowerCase().includes(text)) || ((from || to) && !day) || (from && day < from) || (to && day > to) || (at && !at.has(i))) continue;
      seen.push(i);
    }
    get("count").textContent = seen.length === n ? n.toLocaleString("en") + " pictures" : seen.length.toLocaleString("en") + " of " + n.toLocaleString("en");
    drawCards();
    draw();
  };

  // A thumbnail is given its picture when it comes into view.
  const watcher = new IntersectionObserver(entries => entries.forEach(entry => {
    if (!entry.isIntersecting) return;
    watcher.unobserve(entry.target);
    entry.target.querySelector("img").src = data(entry.target.dataset.i);
  }), { rootMargin: "400px" });
  const thumb = i => {
    const button = make("button", { type: "button", className: "thumb", title: facts.ids[i] }, make("img", { alt: facts.ids[i] }));
    button.dataset.i = i;
    button.classList.toggle("gone", state.pictures.has(i));
    button.addEventListener("click", () => show(i));
    watcher.observe(button);
    return button;
  };

  // Cards.
  const opened = new Set();
  const card = (k, members) => {
    const article = make("article", { className: "card" });
    article.dataset.number = k;
    article.style.setProperty("--own", facts.colors[k]);
    article.classList.toggle("gone", state.gone[k]);
    const name = make("input", { value: state.names[k], placeholder: "Group " + k, maxLength: 80 });
    name.setAttribute("aria-label", "Name of group " + k);
    name.addEventListener("change", () => { state.names[k] = name.value.trim(); remember(); drawCards(); });
    const size = parts(k).reduce((sum, other) => sum + facts.sizes[other], 0);
    const days = members.map(i => facts.taken[i].slice(0, 10)).filter(Boolean).sort();
    const span = days.length ? " · " + days[0] + (days[days.length - 1] === days[0] ? "" : " to " + days[days.length - 1]) : "";
    const some = opened.has(k) ? members : members.slice(0, 18);
    article.append(
      make("div", { className: "head" }, name),
      make("p", { className: "quiet", textContent: (members.length === size ? "" : members.length.toLocaleString("en") + " of ") + size.toLocaleString("en") + " pictures" + span }),
      make("div", { className: "mosaic" }, ...some.map(thumb)),
    );
    if (members.length > 18) {
      const more = make("button", { type: "button", className: "more", textContent: opened.has(k) ? "Show fewer" : "Show all " + members.length.toLocaleString("en") });
      more.addEventListener("click", () => { opened.has(k) ? opened.delete(k) : opened.add(k); drawCards(); });
      article.append(more);
    }
    const doubtful = members.filter(i => facts.doubt[i] > 0.8).sort((a, b) => facts.doubt[b] - facts.doubt[a]).slice(0, 6);
    if (doubtful.length) article.append(make("h4", { textContent: "Nearly elsewhere" }), make("div", { className: "mosaic" }, ...doubtful.map(thumb)));
    const merge = make("select", {}, make("option", { value: "", textContent: "merge into …" }), ...roots().filter(other => other !== k).map(other => make("option", { value: other, textContent: title(other) })));
    merge.setAttribute("aria-label", "Merge " + title(k) + " into another group");
    merge.addEventListener("change", () => { state.into[k] = Number(merge.value); state.gone[k] = false; remember(); filter(); });
    const edit = make("div", { className: "edit" }, merge);
    if (parts(k).length > 1) {
      const split = make("button", { type: "button", className: "split", textContent: "split into " + parts(k).length + " again" });
      split.addEventListener("click", () => { for (const other of parts(k)) state.into[other] = other; remember(); filter(); });
      edit.append(split);
    }
    const gone = make("input", { type: "checkbox", checked: state.gone[k] });
    gone.addEventListener("change", () => { state.gone[k] = gone.checked; article.classList.toggle("gone", gone.checked); remember(); });
    edit.append(make("label", { className: "can-go" }, gone, " can go"));
    article.append(edit);
    return article;
  };
  const roots = () => [...Array(K).keys()].filter(k => root(k) === k && facts.sizes[k] > 0);
  const drawCards = () => {
    const members = new Map(roots().map(k => [k, []]));
    for (const i of seen) members.get(root(facts.cluster[i])).push(i);
    const order = [...members].filter(([, some]) => some.length || seen.length === n).sort((a, b) => b[1].length - a[1].length);
    get("cards").replaceChildren(...order.map(([k, some]) => card(k, some)));
  };

  // Near-duplicates.
  const mark = (i, yes) => { yes ? state.pictures.add(i) : state.pictures.delete(i); remember(); };
  const drawSets = () => {
    get("copies").hidden = facts.alike.length === 0;
    get("sets").replaceChildren(...facts.alike.map(some => make("div", { className: "set" }, ...some.map(i => {
      const box = make("input", { type: "checkbox", checked: state.pictures.has(i) });
      const small = thumb(i);
      box.addEventListener("change", () => { mark(i, box.checked); small.classList.toggle("gone", box.checked); });
      return make("figure", {}, small, make("figcaption", {}, facts.ids[i], make("br"), facts.sizes_px[i].join(" × "), make("br"), make("label", {}, box, " can go")));
    }))));
  };

  // One picture, large.
  let current = 0;
  const show = i => {
    current = i;
    get("original").href = facts.root + "/" + facts.urls[i];
    get("picture").src = data(i);
    const full = new Image();
    full.onload = () => { if (current === i) get("picture").src = full.src; };
    full.src = facts.root + "/" + facts.urls[i];
    get("picture").alt = facts.ids[i];
    get("about").textContent = [facts.ids[i], title(root(facts.cluster[i])) + ", share " + facts.share[i], facts.sizes_px[i].join(" × ") + (facts.taken[i] ? " · " + facts.taken[i].replace("T", " ") : "")].join("\n");
    get("mark").checked = state.pictures.has(i);
    get("large").showModal();
  };
  get("mark").addEventListener("change", () => { mark(current, get("mark").checked); drawSets(); drawCards(); });

  // The map.
  const canvas = get("map"), pen = canvas.getContext("2d");
  const xs = facts.places.map(p => p[0]), ys = facts.places.map(p => p[1]);
  const span = values => { const low = Math.min(...values), high = Math.max(...values); return [low, high - low || 1]; };
  const [left, wide] = n ? span(xs) : [0, 1], [bottom, high] = n ? span(ys) : [0, 1];
  const view = { x: 0.5, y: 0.5, scale: 1 };
  const images = new Map();
  const at = i => {
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    return [canvas.clientWidth / 2 + ((xs[i] - left) / wide - view.x) * side, canvas.clientHeight / 2 - ((ys[i] - bottom) / high - view.y) * side];
  };
  let near = [];
  const draw = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.scale(ratio, ratio);
    near = seen.map(i => [i, ...at(i)]).filter(([, x, y]) => x > -60 && y > -60 && x < canvas.clientWidth + 60 && y < canvas.clientHeight + 60);
    const side = Math.max(44, Math.min(96, 0.65 * Math.sqrt(canvas.clientWidth * canvas.clientHeight / (near.length + 1))));
    const taken = new Set(), pictured = [];  // one picture where many lie; the others are dots below it
    for (const [i, x, y] of near) {
      const cell = Math.floor(x / side) + "," + Math.floor(y / side);
      if (taken.has(cell)) {
        pen.fillStyle = facts.colors[root(facts.cluster[i])];
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
      if (!image) { image = new Image(); image.onload = later; image.src = data(i); images.set(i, image); }
      const scale = 0.85 * side / Math.max(image.naturalWidth || 1, image.naturalHeight || 1), w = (image.naturalWidth || 1) * scale, h = (image.naturalHeight || 1) * scale;
      pen.fillStyle = facts.colors[root(facts.cluster[i])];
      pen.fillRect(x - w / 2 - 2, y - h / 2 - 2, w + 4, h + 4);
      if (image.complete && image.naturalWidth) pen.drawImage(image, x - w / 2, y - h / 2, w, h);
    }
    canvas.dataset.pictures = pictured.length;
  };
  let asked = false;
  const later = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; draw(); }); } };
  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const side = () => Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    const dx = (x - canvas.clientWidth / 2), dy = (canvas.clientHeight / 2 - y), before = side();
    view.scale = Math.min(200, Math.max(0.5, view.scale * factor));
    view.x += dx / before - dx / side();
    view.y += dy / before - dy / side();
    later();
  };
  canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY); }, { passive: false });
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, [event.offsetX, event.offsetY]); moved = 0; });
  canvas.addEventListener("pointermove", event => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.offsetX, event.offsetY], others = [...fingers].filter(([id]) => id !== event.pointerId);
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.9 * view.scale;
    if (others.length) {
      const [, other] = others[0], far = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      zoom(far(now) / Math.max(1, far(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else {
      view.x -= (now[0] - before[0]) / side;
      view.y += (now[1] - before[1]) / side;
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
    later();
  });
  canvas.addEventListener("pointerup", event => {
    fingers.delete(event.pointerId);
    if (moved > 5) return;
    const hit = near.map(([i, x, y]) => [Math.hypot(x - event.offsetX, y - event.offsetY), i]).sort((a, b) => a[0] - b[0])[0];
    if (hit && hit[0] < 48) show(hit[1]);
  });
  canvas.addEventListener("pointercancel", event => fingers.delete(event.pointerId));
  canvas.addEventListener("keydown", event => {
    const step = 0.1 / view.scale, moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.4 : 1 / 1.4);
    else if (moves[event.key]) { view.x += moves[event.key][0]; view.y += moves[event.key][1]; event.preventDefault(); later(); }
  });
  get("in").addEventListener("click", () => zoom(1.6));
  get("out").addEventListener("click", () => zoom(1 / 1.6));
  get("whole").addEventListener("click", () => { Object.assign(view, { x: 0.5, y: 0.5, scale: 1 }); later(); });
  new ResizeObserver(later).observe(canvas);

  // Saving and opening.
  get("save").addEventListener("click", () => {
    const link = make("a", { href: URL.createObjectURL(new Blob([JSON.stringify(choices(), null, 1) + "\n"], { type: "application/json" })), download: "gallery.json" });
    link.click();
    URL.revokeObjectURL(link.href);
    get("save").classList.remove("dirty");
  });
  get("open").addEventListener("change", async event => {
    const [file] = event.target.files;
    if (!file) return;
    try { take(JSON.parse(await file.text())); remember(); filter(); drawSets(); } catch (error) { alert(error instanceof SyntaxError ? "This file is not JSON." : error.message); }
    event.target.value = "";
  });
  for (const id of ["find", "from", "to", "place"]) for (const kind of ["input", "change"]) get(id).addEventListener(kind, filter);
  try { const kept = localStorage.getItem(memory); if (kept) { take(JSON.parse(kept)); get("save").classList.add("dirty"); } } catch { /* nothing that was kept is usable */ }
  filter();
  drawSets();
})();
