  // Filters. Each reads what is asked for, and says of a picture whether it passes; an empty wish asks for nothing.
  const filters = [];
  const addFilter = (wish, passes) => filters.push({ wish, passes });
  addFilter(() => byId("find").value.toLowerCase(), (text, i) => facts.ids[i].toLowerCase().includes(text) || facts.lines[i].toLowerCase().includes(text));
  if (facts.lines.some(Boolean)) byId("find").placeholder = "name, object or word";
  addFilter(() => byId("from").value, (from, i) => facts.taken[i].slice(0, 10) >= from);
  addFilter(() => byId("to").value, (to, i) => facts.taken[i] && facts.taken[i].slice(0, 10) <= to);
  for (const id of ["from", "to"]) byId(id).parentElement.hidden = !facts.taken.some(Boolean);

  // Places: the nearest town where it is known, else a tenth of a degree.
  const places = new Map();
  facts.coordinates.forEach((at, i) => {
    if (!at) return;
    const name = placeName(i);
    if (!places.has(name)) places.set(name, new Set());
    places.get(name).add(i);
  });
  [...places].sort((a, b) => b[1].size - a[1].size).forEach(([name, some]) => byId("place").append(create("option", { value: name, textContent: name + " (" + some.size.toLocaleString("en") + ")" })));
  byId("at").hidden = places.size === 0;
  addFilter(() => places.get(byId("place").value), (some, i) => some.has(i));

  // Chips: a row for each question, a button for each answer. Pressed answers of one row are alternatives. On a phone they are folded with the
  // other filters; elsewhere they are below the bar, which stays in view.
  const chips = window.innerWidth > 760 ? byId("chips") : byId("filters");
  for (const { title, kinds } of facts.chips) {
    const pressed = new Set();
    const chip = ([name, positions]) => {
      const button = create("button", { type: "button", className: "chip", textContent: name + " (" + positions.length.toLocaleString("en") + ")" }), some = new Set(positions);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        pressed.has(some) ? pressed.delete(some) : pressed.add(some);
        button.setAttribute("aria-pressed", String(pressed.has(some)));
        applyFilters();
      });
      return button;
    };
    const row = create("div", { className: "chips" }, create("span", { textContent: title }), ...kinds.map(chip));
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", title);
    chips.append(row);
    addFilter(() => pressed.size && [...pressed], (some, i) => some.some(one => one.has(i)));
  }

  let visible = [];
  const applyFilters = () => {
    const asked = filters.map(({ wish, passes }) => [passes, wish()]).filter(([, wish]) => wish);
    visible = [];
    for (let i = 0; i < n; i++) if (asked.every(([passes, wish]) => passes(wish, i))) visible.push(i);
    byId("count").textContent = visible.length === n ? n.toLocaleString("en") + " pictures" : visible.length.toLocaleString("en") + " of " + n.toLocaleString("en");
    drawTimeline();
    drawCards();
    drawMap();
  };
