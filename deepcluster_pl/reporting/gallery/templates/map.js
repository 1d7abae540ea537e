  // The map.
  const canvas = byId("map"), pen = canvas.getContext("2d");
  const xs = facts.places.map(p => p[0]), ys = facts.places.map(p => p[1]);
  const span = values => { const low = Math.min(...values), high = Math.max(...values); return [low, high - low || 1]; };
  const [left, wide] = n ? span(xs) : [0, 1], [bottom, high] = n ? span(ys) : [0, 1];
  const view = { x: 0.5, y: 0.5, scale: 1 };
  const images = new Map();
  const wholeSide = () => Math.max(90, Math.min(canvas.clientWidth, canvas.clientHeight) - 90) * view.scale;  // pictures at its edges are whole
  const screenPlace = i => {
    const side = wholeSide();
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
    const dx = (x - canvas.clientWidth / 2), dy = (canvas.clientHeight / 2 - y), before = wholeSide();
    view.scale = Math.min(200, Math.max(0.5, view.scale * factor));
    view.x += dx / before - dx / wholeSide();
    view.y += dy / before - dy / wholeSide();
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
    const side = wholeSide();
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
