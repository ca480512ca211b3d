"use strict";
(() => {
  // The oracle's answers are in the data, by class of ends and by rule; this unites the rules of a side and intersects
  // the two sides. Every name is shown as text, never as markup.
  const data = JSON.parse(document.getElementById("data").textContent);
  const [POD, NODE] = [0, 1];
  const [EGRESS, INGRESS] = [0, 1];
  const SECTIONS = ["egress", "ingress"];
  const VERSIONS = [4, 6];
  const EVERYTHING = (1n << BigInt(data.traffic.length)) - 1n;
  const OVERSCAN = 4;
  const MOST_WIDE = 24;
  const LISTED = 30;
  const MOST_PAIRS = 400000;
  const EXEMPT = {
    self: "a pod always reaches itself, whatever policies say",
    node: "pods and nodes always reach each other, whatever policies say",
    "own node": "a pod and its own node always reach each other, whatever policies say",
  };

  const parties = data.parties.map(([name, kind, classes, pods, nodes, addresses, ports]) => ({
    name, kind, classes, pods, nodes: new Set(nodes), addresses, ports: data.ports[ports],
    words: [name, ...pods.map((pod) => `${name.split("/")[0]}/${pod}`)].join("\n").toLowerCase(),
  }));
  const policies = data.policies.map(([name, file, line, rules]) => ({
    name, place: placeOf(file, line),
    rules: rules.map(([side, index, at, peers, bits, names, who, what]) => ({
      name: `${name} ${SECTIONS[side]}[${index}]`,
      side, place: placeOf(file, at), peers, bits: BigInt(`0x${bits}`), names, who, what,
    })),
  }));
  const sets = [];

  function placeOf(file, line) {
    return line ? `${data.files[file]}:${line}` : data.files[file];
  }

  // Sets are unpacked when they are first asked about.
  function holds(set, number) {
    if (set < 0) return true;
    if (!sets[set]) {
      sets[set] = new Set();
      const runs = data.sets[set];
      for (let at = 0; at < runs.length; at += 2) {
        for (let step = 0; step < runs[at + 1]; step++) sets[set].add(runs[at] + step);
      }
    }
    return sets[set].has(number);
  }

  function isolating(side, near) {
    const index = data.classes[near][side];
    return index < 0 ? null : data.isolation[index].map((each) => policies[each]);
  }

  function portsOf(rule, destination) {
    const named = data.classes[destination][2];
    return rule.names.reduce((bits, name) => bits | BigInt(`0x${named[name] || "0"}`), rule.bits);
  }

  function admitting(side, source, destination) {
    const [near, far] = side === EGRESS ? [source, destination] : [destination, source];
    return (isolating(side, near) || []).flatMap((policy) => policy.rules)
      .filter((rule) => rule.side === side && holds(rule.peers, far))
      .map((rule) => ({ rule, bits: portsOf(rule, destination) }))
      .filter(({ bits }) => bits);
  }

  function sideBits(side, source, destination) {
    if (!isolating(side, side === EGRESS ? source : destination)) return EVERYTHING;
    return admitting(side, source, destination).reduce((sum, { bits }) => sum | bits, 0n);
  }

  function exemption(source, destination) {
    if (source.kind === destination.kind) {
      return source === destination ? { exempt: "self", wholly: source.pods.length === 1 } : {};
    }
    if (source.kind !== NODE && destination.kind !== NODE) return {};
    if (!data.strict) return { exempt: "node", wholly: true };
    const own = [...source.nodes].filter((node) => destination.nodes.has(node)).length;
    return own ? { exempt: "own node", wholly: own === 1 && source.nodes.size === 1 && destination.nodes.size === 1 } : {};
  }

  function cellOf(source, destination) {
    const families = [0, 1].filter((each) => source.classes[each] >= 0 && destination.classes[each] >= 0);
    if (!families.length || (source.kind !== POD && destination.kind !== POD)) return null;
    const { exempt, wholly } = exemption(source, destination);
    const bits = families.map((each) => {
      const ends = [source.classes[each], destination.classes[each]];
      return wholly ? EVERYTHING : sideBits(EGRESS, ...ends) & sideBits(INGRESS, ...ends);
    });
    return { families, exempt, wholly, bits };
  }

  // Words for traffic: "6379/tcp, 53/udp", "all", "none".
  const wordsKnown = new Map();

  function bitsWords(bits) {
    if (bits === EVERYTHING) return "all";
    if (!wordsKnown.has(bits)) wordsKnown.set(bits, trafficWords(bits) || "none");
    return wordsKnown.get(bits);
  }

  function trafficWords(bits) {
    const chosen = data.traffic.filter((_, index) => (bits >> BigInt(index)) & 1n);
    const words = ["tcp", "udp", "sctp"].flatMap((protocol) => {
      const runs = merged(chosen.filter(([each]) => each === protocol).flatMap(([, ranges]) => ranges));
      return runs.map(([first, last]) => {
        if (first <= 1 && last === 65535) return `all ${protocol}`;
        return first === last ? `${first}/${protocol}` : `${Math.max(first, 1)}-${last}/${protocol}`;
      });
    });
    if (chosen.some(([protocol]) => !protocol)) words.push("icmp");
    return words.join(", ");
  }

  function merged(ranges) {
    const runs = [];
    for (const [first, last] of [...ranges].sort((one, other) => one[0] - other[0])) {
      const before = runs[runs.length - 1];
      if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else if (last) runs.push([first, last]);
    }
    return runs;
  }

  // A port as it is typed: 6379, 53/udp, http, http/tcp, icmp.
  function readPort(text) {
    const typed = text.trim().toLowerCase();
    if (!typed) return { all: true };
    if (typed === "icmp") return { at: () => [["", 0]] };
    const [port, protocol] = typed.split("/");
    if (protocol !== undefined && !["tcp", "udp", "sctp"].includes(protocol)) return { wrong: `${text} is no port` };
    if (/^\d+$/.test(port)) {
      const number = Number(port);
      return number >= 1 && number <= 65535
        ? { at: () => [[protocol || "tcp", number]] } : { wrong: `${text} is no port: ports are 1 to 65535` };
    }
    const known = (party) => party.ports.filter(([name, of]) => name === port && (!protocol || of === protocol))
      .map(([, of, number]) => [of, number]);
    if (!parties.some((party) => known(party).length)) return { wrong: `no pod here has a port of the name ${text}` };
    return { at: known };
  }

  function bitOf([protocol, number]) {
    const index = data.traffic.findIndex(([each, ranges]) => each === protocol
      && (!each || ranges.some(([first, last]) => first <= number && number <= last)));
    return 1n << BigInt(index);
  }

  function shownWords(bits, destination) {
    if (asked.all) return bitsWords(bits);
    const allowed = asked.at(destination).filter((each) => bits & bitOf(each));
    return allowed.map(([of, number]) => (of ? `${number}/${of}` : "icmp")).join(", ") || "none";
  }

  function cellWords(cell, destination) {
    const words = cell.bits.map((bits) => shownWords(bits, destination));
    if (new Set(words).size === 1) return words[0];
    return words.map((each, index) => `IPv${VERSIONS[cell.families[index]]}: ${each}`).join("; ");
  }

  function markOf(cell, destination) {
    if (!cell) return "void";
    const whole = asked.all ? EVERYTHING : asked.at(destination).reduce((sum, each) => sum | bitOf(each), 0n);
    const parts = cell.bits.map((bits) => bits & whole);
    if (whole && parts.every((bits) => bits === whole)) return "all";
    return parts.some((bits) => bits) || (whole && cell.exempt === "own node") ? "some" : "none";
  }

  // The grid: only what can be seen is there.
  const grid = document.getElementById("grid");
  const canvas = document.getElementById("canvas");
  const panel = document.getElementById("panel");
  const detail = document.getElementById("detail");
  const inputs = Object.fromEntries(["from", "to", "port", "connected"].map((id) => [id, document.getElementById(id)]));
  let rows = [], columns = [], asked = { all: true }, size = {}, current = [0, 0], drawn = "";

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made && !name.includes("-")) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  function matching(indexes, text) {
    const wanted = text.toLowerCase().split(",").map((each) => each.trim()).filter(Boolean);
    const all = indexes.map((index) => parties[index]);
    return wanted.length ? all.filter((party) => wanted.some((each) => party.words.includes(each))) : all;
  }

  function filter() {
    rows = matching(data.sources, inputs.from.value);
    columns = matching(data.destinations, inputs.to.value);
    const read = readPort(inputs.port.value);
    asked = read.wrong ? { at: () => [] } : read;
    inputs.port.setAttribute("aria-invalid", String(Boolean(read.wrong)));
    const many = inputs.connected.checked && !keepConnected();
    const counts = `${rows.length} of ${data.sources.length} sources, ${columns.length} of ${data.destinations.length} destinations`;
    document.getElementById("status").textContent = [
      counts, read.wrong, many && "too many to see who connects: narrow them first",
    ].filter(Boolean).join("; ");
    measure();
    current = [Math.min(current[0], rows.length - 1), Math.min(current[1], columns.length - 1)].map((each) => Math.max(each, 0));
    drawn = "";
    draw();
  }

  // Leaves out rows and columns in which nothing is allowed but what a pod opens to itself; false: they are too many.
  function keepConnected() {
    if (rows.length * columns.length > MOST_PAIRS) return false;
    const [sources, destinations] = [new Set(), new Set()];
    for (const source of rows) {
      for (const destination of columns) {
        if (sources.has(source) && destinations.has(destination)) continue;
        const cell = cellOf(source, destination);
        if (cell && !(cell.wholly && cell.exempt === "self") && ["all", "some"].includes(markOf(cell, destination))) {
          sources.add(source);
          destinations.add(destination);
        }
      }
    }
    rows = rows.filter((party) => sources.has(party));
    columns = columns.filter((party) => destinations.has(party));
    return true;
  }

  function measure() {
    const longest = (list) => list.reduce((most, party) => Math.max(most, party.name.length), 4);
    const wide = columns.length <= MOST_WIDE;
    size = {
      label: Math.min(longest(rows), 44, Math.max(grid.clientWidth / 18, 16)) * 7.3 + 18, width: wide ? 128 : 26, height: 26,
      head: wide ? 56 : Math.min(longest(columns), 34) * 7.3 + 14,
    };
    canvas.style.width = `${size.label + columns.length * size.width}px`;
    canvas.style.height = `${size.head + rows.length * size.height}px`;
    canvas.classList.toggle("wide", wide);
    grid.setAttribute("aria-rowcount", rows.length + 1);
    grid.setAttribute("aria-colcount", columns.length + 1);
  }

  function seen(start, extent, step, count) {
    const first = Math.max(Math.floor(start / step) - OVERSCAN, 0);
    return [first, Math.min(Math.ceil((start + extent) / step) + OVERSCAN, count)];
  }

  function draw() {
    const down = seen(grid.scrollTop, grid.clientHeight - size.head, size.height, rows.length);
    const across = seen(grid.scrollLeft, grid.clientWidth - size.label, size.width, columns.length);
    const window = [...down, ...across, ...current].join();
    if (window === drawn) return;
    drawn = window;
    const lines = [headRow(across)];
    for (let row = down[0]; row < down[1]; row++) lines.push(bodyRow(row, across));
    canvas.replaceChildren(...lines);
    if (rows.length && columns.length) grid.setAttribute("aria-activedescendant", `cell-${current.join("-")}`);
    else grid.removeAttribute("aria-activedescendant");
  }

  function headRow([first, last]) {
    const row = element("div", { className: "head row", role: "row", "aria-rowindex": 1 });
    row.style.height = `${size.head}px`;
    const corner = element("div", { className: "corner", role: "columnheader", "aria-colindex": 1 }, "from \\ to");
    corner.style.width = `${size.label}px`;
    row.append(corner);
    for (let at = first; at < last; at++) {
      const name = columns[at].name;
      const cell = element("div", { className: "column", role: "columnheader", title: name, "aria-colindex": at + 2 },
        element("span", {}, ...breakable(name)));
      cell.style.left = `${size.label + at * size.width}px`;
      cell.style.width = `${size.width}px`;
      row.append(cell);
    }
    return row;
  }

  // A name may be broken behind its namespace.
  function breakable(name) {
    const [first, ...rest] = name.split("/");
    return rest.length ? [`${first}/`, element("wbr"), rest.join("/")] : [first];
  }

  function bodyRow(index, [first, last]) {
    const source = rows[index];
    const row = element("div", { className: "row", role: "row", "aria-rowindex": index + 2 });
    row.style.top = `${size.head + index * size.height}px`;
    row.style.height = `${size.height}px`;
    const label = element("div", { className: "label", role: "rowheader", title: source.name, "aria-colindex": 1 }, source.name);
    label.style.width = `${size.label}px`;
    row.append(label);
    for (let at = first; at < last; at++) row.append(bodyCell(index, at));
    return row;
  }

  function bodyCell(index, at) {
    const [source, destination] = [rows[index], columns[at]];
    const cell = cellOf(source, destination);
    const words = cell ? cellWords(cell, destination) : "";
    const mark = markOf(cell, destination);
    const says = `${source.name} to ${destination.name}: ${cell ? words : "no pod takes part"}`;
    const made = element("div", {
      className: `cell ${mark}`, id: `cell-${index}-${at}`, role: "gridcell", title: says,
      "aria-label": says, "aria-colindex": at + 2, "data-row": index, "data-column": at,
    }, element("span", { className: `mark ${mark}`, "aria-hidden": "true" }));
    if (size.width > 26 && cell) made.append(element("span", { className: "words" }, words));
    if (index === current[0] && at === current[1]) made.classList.add("current");
    made.style.left = `${size.label + at * size.width}px`;
    made.style.width = `${size.width}px`;
    return made;
  }

  // The panel: the rules that decide.
  function open(row, at) {
    current = [row, at];
    draw();
    const [source, destination] = [rows[row], columns[at]];
    detail.replaceChildren(...told(source, destination));
    panel.hidden = false;
    panel.scrollTop = 0;
    draw();
  }

  function told(source, destination) {
    const cell = cellOf(source, destination);
    const head = [element("h2", {}, `${source.name} to ${destination.name}`)];
    if (!cell) return [...head, element("p", {}, "No pod takes part, or they share no address family: no policy has a say.")];
    head.push(element("p", { className: `answer ${markOf(cell, destination)}` }, cellWords(cell, destination)));
    if (cell.exempt) head.push(element("p", { className: "exempt" }, EXEMPT[cell.exempt]));
    const sections = cell.families.map((each) => {
      const ends = [source.classes[each], destination.classes[each]];
      return [...sideTold(EGRESS, source, destination, ends), ...sideTold(INGRESS, source, destination, ends)];
    });
    const alike = new Set(sections.map((section) => section.map((part) => part.textContent).join("\n"))).size === 1;
    const body = alike ? sections[0]
      : sections.flatMap((section, index) => [element("h3", {}, `IPv${VERSIONS[cell.families[index]]}`), ...section]);
    return [...head, ...body, ...[source, destination].flatMap(membersTold)];
  }

  function sideTold(side, source, destination, ends) {
    const party = side === EGRESS ? source : destination;
    const heading = element("h4", {}, `${side === EGRESS ? "Egress" : "Ingress"} of ${party.name}`);
    if (party.kind !== POD) return [heading, element("p", {}, `it is no pod, so no policy of ${SECTIONS[side]} is about it`)];
    const by = isolating(side, ends[side]);
    if (!by) return [heading, element("p", {}, `no policy isolates it for ${SECTIONS[side]}: all`)];
    const list = element("ul", { className: "policies" });
    for (const policy of by) list.append(element("li", {}, `isolated by ${policy.name} `, placed(policy.place)));
    const found = admitting(side, ...ends).filter(({ bits }) => asked.all || shownWords(bits, destination) !== "none");
    for (const { rule, bits } of found) {
      list.append(element("li", { className: "admits" },
        element("strong", {}, shownWords(bits, destination)), ` admitted by ${rule.name} `, placed(rule.place),
        element("div", { className: "says" }, `${rule.who || "everyone"}; ${rule.what || "every port and protocol"}`)));
    }
    if (!found.length) list.append(element("li", { className: "denies" }, "no rule of these admits it"));
    return [heading, list];
  }

  function placed(place) {
    return element("code", { className: "place" }, place);
  }

  function membersTold(party) {
    const members = party.kind === POD ? party.pods : party.addresses;
    if (members.length === 1 && party.kind === POD) return [];
    const more = members.length > LISTED ? ` and ${members.length - LISTED} more` : "";
    const kinds = ["pods", "addresses", "ranges of addresses"];
    const what = `${members.length} ${kinds[party.kind]}`;
    return [element("details", {}, element("summary", {}, `${party.name}: ${what}`),
      element("p", {}, members.slice(0, LISTED).join(", ") + more))];
  }

  function close() {
    panel.hidden = true;
    grid.focus();
    draw();
  }

  function move(row, at) {
    current = [Math.max(0, Math.min(row, rows.length - 1)), Math.max(0, Math.min(at, columns.length - 1))];
    const [top, left] = [current[0] * size.height, current[1] * size.width];
    const [high, broad] = [grid.clientHeight - size.head, grid.clientWidth - size.label];
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + size.height > grid.scrollTop + high) grid.scrollTop = top + size.height - high;
    if (left < grid.scrollLeft) grid.scrollLeft = left;
    else if (left + size.width > grid.scrollLeft + broad) grid.scrollLeft = left + size.width - broad;
    draw();
  }

  grid.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  window.addEventListener("resize", draw);
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) open(Number(cell.dataset.row), Number(cell.dataset.column));
  });
  grid.addEventListener("keydown", (event) => {
    const [row, at] = current;
    const page = Math.max(Math.floor((grid.clientHeight - size.head) / size.height) - 1, 1);
    const moves = {
      ArrowDown: [row + 1, at], ArrowUp: [row - 1, at], ArrowRight: [row, at + 1], ArrowLeft: [row, at - 1],
      PageDown: [row + page, at], PageUp: [row - page, at],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? rows.length : row, columns.length],
    };
    if (moves[event.key]) move(...moves[event.key]);
    else if (event.key === "Enter" && rows.length && columns.length) open(...current);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) close();
  });
  document.getElementById("close").addEventListener("click", close);
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("filters").addEventListener("input", () => {
    panel.hidden = true;
    filter();
  });
  inputs.port.value = data.port;
  filter();
})();
