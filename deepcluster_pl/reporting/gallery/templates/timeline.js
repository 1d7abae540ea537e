  // Timeline: pictures by day, month, year or decade. A press chooses a bar and a drag several; the dates above follow.
  const dated = facts.taken.map(taken => taken.slice(0, 10));
  const days = dated.filter(Boolean).sort();
  const addDay = day => new Date(Date.parse(day) + 864e5).toISOString().slice(0, 10);
  const padded = (number, digits) => String(number).padStart(digits, "0");
  const units = [
    { digits: 10, most: 45, next: addDay, first: day => day, last: day => day },
    { digits: 7, most: 60, next: month => addDay(lastOfMonth(month)).slice(0, 7), first: month => month + "-01", last: month => lastOfMonth(month) },
    { digits: 4, most: 100, next: year => padded(Number(year) + 1, 4), first: year => year + "-01-01", last: year => year + "-12-31" },
    { digits: 3, most: 1000, next: decade => padded(Number(decade) + 1, 3), first: decade => decade + "0-01-01", last: decade => decade + "9-12-31" },
  ];
  const lastOfMonth = month => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10);
  const periodName = key => {
    if (key.length < 5) return key.length === 3 ? key + "0s" : key;
    const date = new Date(key.length === 7 ? key + "-01" : key);
    return date.toLocaleDateString("en", { month: "short", ...(key.length === 10 && { day: "numeric" }), year: "numeric", timeZone: "UTC" });
  };
  const periodsOf = ({ digits, most, next }) => {
    const keys = [days[0].slice(0, digits)], end = days[days.length - 1].slice(0, digits);
    while (keys[keys.length - 1] < end && keys.length <= most) keys.push(next(keys[keys.length - 1]));
    return keys;
  };
  // Where few pictures have a date, or all have one, there is nothing to see.
  let unit = null, periods = [];
  if (days.length >= 0.1 * n && days.length && days[0] !== days[days.length - 1]) {
    for (unit of units) {
      periods = periodsOf(unit);
      if (periods.length <= unit.most) break;
    }
  }
  byId("timeline").hidden = periods.length < 2;
  const countBy = some => {
    const counts = new Map();
    for (const i of some) if (dated[i]) { const key = dated[i].slice(0, unit.digits); counts.set(key, (counts.get(key) || 0) + 1); }
    return counts;
  };
  const totals = periods.length > 1 ? countBy(facts.ids.keys()) : new Map();
  const tallest = Math.max(1, ...totals.values());
  const bars = periods.map((key, at) => {
    const bar = create("button", { type: "button", tabIndex: at ? -1 : 0, title: periodName(key) + ": " + (totals.get(key) || 0).toLocaleString("en") }, create("i"), create("b"));
    bar.style.setProperty("--all", (totals.get(key) || 0) / tallest);
    bar.addEventListener("click", event => { if (event.detail === 0) press(at, at); });  // by a key; pointers are below
    return bar;
  });
  byId("bars").append(...bars);
  const inDates = (key, from, to) => (!from || unit.last(key) >= from) && (!to || unit.first(key) <= to);
  const drawTimeline = () => {
    if (periods.length < 2) return;
    const from = byId("from").value, to = byId("to").value, shown = countBy(visible);
    periods.forEach((key, at) => {
      bars[at].style.setProperty("--shown", (shown.get(key) || 0) / tallest);
      bars[at].classList.toggle("off", !inDates(key, from, to));
      bars[at].setAttribute("aria-pressed", String(Boolean(from || to) && inDates(key, from, to)));
    });
    const chosen = periods.filter(key => inDates(key, from, to));
    const ends = [...new Set([chosen[0], chosen[chosen.length - 1]])].filter(Boolean).map(periodName);
    const undated = n - days.length;
    byId("period").classList.toggle("on", Boolean(from || to));
    byId("period").textContent = from || to ? ends.join(" – ") || "no picture" : undated ? undated.toLocaleString("en") + " without a date" : "";
    byId("ever").hidden = !(from || to);
  };
  const choose = (from, to) => {
    byId("from").value = from;
    byId("to").value = to;
    applyFilters();
  };
  const press = (a, b) => {
    const from = unit.first(periods[Math.min(a, b)]), to = unit.last(periods[Math.max(a, b)]);
    // The same again takes it back
    if (byId("from").value === from && byId("to").value === to) choose("", "");
    else choose(from, to);
  };
  let anchor = 0, head = 0, isDragging = false;
  const focusOn = at => {
    bars[head].tabIndex = -1;
    head = Math.max(0, Math.min(bars.length - 1, at));
    bars[head].tabIndex = 0;
    bars[head].focus();
  };
  const barAt = event => {
    const box = byId("bars").getBoundingClientRect();
    return Math.max(0, Math.min(bars.length - 1, Math.floor((event.clientX - box.left) / box.width * bars.length)));
  };
  const markDrag = () => bars.forEach((bar, at) => bar.classList.toggle("off", at < Math.min(anchor, head) || at > Math.max(anchor, head)));
  byId("bars").addEventListener("pointerdown", event => {
    if (event.button) return;
    event.preventDefault();
    byId("bars").setPointerCapture(event.pointerId);
    isDragging = true;
    anchor = barAt(event);
    focusOn(anchor);
    markDrag();
  });
  byId("bars").addEventListener("pointermove", event => { if (isDragging && barAt(event) !== head) { focusOn(barAt(event)); markDrag(); } });
  byId("bars").addEventListener("pointerup", () => { if (isDragging) { isDragging = false; press(anchor, head); } });
  byId("bars").addEventListener("pointercancel", () => { isDragging = false; drawTimeline(); });
  byId("bars").addEventListener("keydown", event => {
    const to = { ArrowLeft: head - 1, ArrowRight: head + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (event.key === "Escape") choose("", "");
    if (to === undefined) return;
    event.preventDefault();
    focusOn(to);
    if (!event.shiftKey) anchor = head;
    else choose(unit.first(periods[Math.min(anchor, head)]), unit.last(periods[Math.max(anchor, head)]));
  });
  byId("ever").addEventListener("click", () => choose("", ""));
  if (periods.length > 1) [byId("earliest").textContent, byId("latest").textContent] = [periods[0], periods[periods.length - 1]].map(periodName);
