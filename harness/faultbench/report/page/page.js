"use strict";
(() => {
  for (const one of document.querySelectorAll(".filters, .tools")) one.hidden = false; // without scripts they would do nothing
  const table = document.getElementById("matrix");
  if (!table) return;
  const body = table.tBodies[0];
  const lines = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const count = document.getElementById("count");
  const filters = document.querySelector("form.filters");

  // A browser needs half a second to lay out a thousand rows: so many are there at once, and more come when one scrolls to their end.
  const STEP = 100;
  let room = STEP;
  let fits = lines.map(() => true);
  const places = new Map(lines.map((line, at) => [line, at]));
  const more = document.createElement("button");
  more.type = "button";
  more.id = "more";
  table.after(more);
  const show = (rows = STEP) => {
    room = rows;
    let seen = 0;
    for (const line of body.rows) {
      const fit = fits[places.get(line)];
      seen += fit;
      line.hidden = !fit || seen > room;
    }
    more.hidden = seen <= room;
    more.textContent = `${seen - room} more rows: show ${Math.min(STEP, seen - room)} of them`;
  };
  more.addEventListener("click", () => {
    const next = [...body.rows].find((line) => line.hidden && fits[places.get(line)]);
    show(room + STEP);
    next?.querySelector("a")?.focus();
  });
  const byKeyboard = () => document.activeElement === more || (body.contains(document.activeElement) && document.activeElement.matches(":focus-visible"));
  new IntersectionObserver((entries) => {
    // Who goes by the Tab key would never come past a matrix that grows before it: the button asks instead.
    if (entries.some((entry) => entry.isIntersecting) && !byKeyboard()) show(room + STEP);
  }).observe(more);

  // Sorting. A column of numbers has data-value; what is not known (an empty one) stays last either way.
  const known = new Map();
  const values = (column) => {
    if (!known.has(column)) {
      const cells = lines.map((line) => line.cells[column]);
      const numeric = cells.every((cell) => cell.dataset.value !== undefined);
      known.set(column, new Map(cells.map((cell, at) => {
        const said = numeric ? cell.dataset.value : cell.textContent.trim();
        return [lines[at], said === "" ? null : numeric ? Number(said) : said];
      })));
    }
    return known.get(column);
  };
  const words = new Intl.Collator(undefined, { numeric: true });
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const of = values(column);
    const sorted = [...body.rows].sort((a, b) => {
      const [x, y] = [of.get(a), of.get(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const order = typeof x === "number" ? x - y : words.compare(x, y);
      return down ? -order : order;
    });
    body.replaceChildren(...sorted);
    show();
    document.getElementById("sorted").textContent = `sorted by ${heading.querySelector("button").textContent}, ${heading.getAttribute("aria-sort")}`;
  }));

  // Narrowing: a row stays where every filter that is set has its value and its text holds every word. The charts follow.
  const marks = lines.map((line) => line.dataset.f.split(","));
  const texts = [];
  const charts = [...document.querySelectorAll("svg.points")].map((chart) => [...chart.querySelectorAll("a")]);
  const rowOf = (point) => Number(point.getAttribute("href").slice("#row".length));
  const stopAt = (point, all) => all.forEach((one) => one.setAttribute("tabindex", one === point ? 0 : -1));
  const narrow = () => {
    const set = [...filters.querySelectorAll("select")].filter((select) => select.value !== "");
    const asked = document.getElementById("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    fits = lines.map((line, at) => {
      if (!set.every((select) => marks[at][select.dataset.f] === select.value)) return false;
      if (!asked.length) return true;
      texts[at] ??= line.textContent.toLowerCase();
      return asked.every((word) => texts[at].includes(word));
    });
    show();
    for (const all of charts) {
      for (const point of all) {
        const off = !fits[rowOf(point)];
        if (off === point.classList.contains("off")) continue;
        point.classList.toggle("off", off);
        if (off) point.setAttribute("aria-hidden", "true");
        else point.removeAttribute("aria-hidden");
      }
      const stop = all.find((point) => point.getAttribute("tabindex") === "0");
      if (!stop || stop.classList.contains("off")) stopAt(all.find((point) => !point.classList.contains("off")), all);
    }
    const left = fits.filter(Boolean).length;
    const all = `${lines.length} cell${lines.length === 1 ? "" : "s"}`;
    count.textContent = left === lines.length ? all : left ? `${left} of ${all}` : `none of ${all} fits`;
    const said = set.map((select) => `${select.labels[0].firstChild.textContent} ${select.selectedOptions[0].textContent}`);
    if (asked.length) said.push(`the text "${asked.join(" ")}"`);
    document.getElementById("narrowed").textContent = said.length ? `Narrowed to ${left} of ${all}: ${said.join(", ")}.` : "";
  };
  filters?.addEventListener("input", narrow);
  filters?.addEventListener("reset", () => setTimeout(narrow));
  filters?.addEventListener("submit", (event) => event.preventDefault());

  // Points: the Tab key stops once in a chart, the arrow keys go from point to point, and what a point says stands below it.
  const along = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, -1], ArrowDown: [1, 1], Home: [0, -Infinity], End: [0, Infinity] };
  const whereIs = (point) => /^M(\S+) ([^m]+)/.exec(point.querySelector(".point").getAttribute("d")).slice(1).map(Number);
  document.addEventListener("keydown", (event) => {
    const point = event.target.closest?.("svg.points a");
    if (!point || !along[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [axis, step] = along[event.key];
    const all = charts.find((one) => one.includes(point));
    const ordered = all.filter((one) => !one.classList.contains("off")).map((one) => [one, whereIs(one)])
      .sort(([, a], [, b]) => a[axis] - b[axis] || a[1 - axis] - b[1 - axis]).map(([one]) => one);
    const next = ordered[Math.min(Math.max(ordered.indexOf(point) + step, 0), ordered.length - 1)];
    stopAt(next, all);
    next.focus();
  });
  const say = (event) => {
    const point = event.target.closest?.("svg.points a");
    if (point) point.closest("figure").querySelector(".tools").textContent = point.querySelector("title").textContent;
  };
  document.addEventListener("focusin", say);
  document.addEventListener("pointerover", say);

  // What is wider than the page scrolls, by the keyboard too.
  const watched = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const named = target.querySelector("caption")?.textContent;
      if (target.scrollWidth <= target.clientWidth) for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
      else for (const [name, value] of [["tabindex", 0], ["role", "group"], ["aria-label", `${named}, to be scrolled`]]) target.setAttribute(name, value);
    }
  });
  const watch = (part) => { for (const one of part.querySelectorAll(".wide:not(.matrix)")) watched.observe(one); };
  watch(document);

  // Details: a link to a row opens it. Of a large matrix they are packed, and one is unpacked when it is asked for.
  const place = document.getElementById("details");
  const packed = document.getElementById("packed");
  let unpacked = null;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const open = async (id) => {
    const at = Number(/^row(\d+)$/.exec(id)?.[1] ?? NaN);
    if (Number.isNaN(at)) return;
    let row = document.getElementById(id);
    if (!row && packed) {
      unpacked ??= unpack();
      const all = await unpacked;
      if (!(at in all)) return;
      const made = document.createElement("template");
      made.innerHTML = all[at]; // the page's own: every text in it was escaped when it was made
      row = document.getElementById(id) ?? place.insertBefore(made.content.firstElementChild, place.firstElementChild);
      watch(row);
    }
    if (!row) return;
    row.open = true;
    row.querySelector("summary").focus({ preventScroll: true });
    row.scrollIntoView();
  };
  const follow = () => open(location.hash.slice(1));
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#row']");
    if (link && link.getAttribute("href") === location.hash) follow(); // the same row once more is no change of the address
  });
  const all = document.getElementById("all");
  all?.addEventListener("click", () => {
    const rows = [...document.querySelectorAll("details.row")];
    const wanted = !rows.every((row) => row.open);
    rows.forEach((row) => { row.open = wanted; });
    all.textContent = wanted ? "Close all" : "Open all";
  });
  show();
  follow();

  // On paper nothing can be opened: what is closed is opened for it, and closed again.
  let opened = [];
  addEventListener("beforeprint", () => {
    show(Infinity);
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    show();
    opened.forEach((one) => { one.open = false; });
  });
})();
