  // One picture, enlarged: its thumbnail first, then its own file; the pictures beside it, and those that are like it.
  let current = 0;
  const beside = step => {
    const k = groupOf(facts.cluster[current]), some = visible.filter(i => groupOf(facts.cluster[i]) === k);
    const at = some.indexOf(current);
    return some.length ? some[(at + step + some.length) % some.length] : current;
  };
  const enlarge = i => {
    current = i;
    byId("original").href = facts.root + "/" + facts.urls[i];
    byId("picture").src = pictureUri(i);
    const full = new Image();
    full.onload = () => { if (current === i) byId("picture").src = full.src; };
    full.src = facts.root + "/" + facts.urls[i];
    byId("picture").alt = facts.ids[i];
    const town = facts.towns[i], where = facts.coordinates[i] && (town ? "near " + town[0] + ", " + town[1] + " km" : coordinatesOf(i));
    byId("about").textContent = [
      facts.ids[i],
      groupTitle(groupOf(facts.cluster[i])) + ", probability " + facts.probability[i],
      [facts.sizes_px[i].join(" × "), facts.taken[i].replace("T", " "), where].filter(Boolean).join(" · "),
      facts.lines[i],
    ].filter(Boolean).join("\n");
    byId("mark").checked = state.pictures.has(i);
    byId("similar").replaceChildren(...facts.similar[i].map(thumbnail));
    byId("alike").hidden = facts.similar[i].length === 0;
    byId("large").scrollTop = 0;
    if (!byId("large").open) byId("large").showModal();
  };
  byId("previous").addEventListener("click", () => enlarge(beside(-1)));
  byId("next").addEventListener("click", () => enlarge(beside(1)));
  byId("large").addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); enlarge(beside(step)); }
  });
  byId("mark").addEventListener("change", () => { markPicture(current, byId("mark").checked); drawNearDuplicates(); drawCards(); });
