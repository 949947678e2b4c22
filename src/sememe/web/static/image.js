import { $, ask, cells, complain, copy, frame, make, name, nbytes, rates, tile } from "./common.js";

const id = Number(location.pathname.split("/").pop());
const slider = $("rate");
const cosine = (value) => value.toFixed(3);

const words = (label) => make("span", { class: label.strength }, `${label.label} · ${label.strength}`);

function curve(all, here) {
  const svg = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const low = Math.min(...all.map((rate) => rate.cosine_to_full), 0.5);
  const x = (n) => 50 + (Math.log2(n) / Math.max(Math.log2(rates.at(-1)), 1)) * 520;
  const y = (value) => 170 - ((value - low) / (1 - low)) * 150;
  const drawing = svg("svg", { viewBox: "0 0 600 200", role: "img", "aria-label": all.map((r) => `${r.nbytes} bytes: ${cosine(r.cosine_to_full)}`).join(", ") });
  drawing.append(svg("line", { class: "axis", x1: 50, x2: 570, y1: 170, y2: 170 }));
  for (const value of [low, (1 + low) / 2, 1]) drawing.append(svg("text", { x: 6, y: y(value) + 4 }, value.toFixed(2)));
  drawing.append(svg("polyline", { class: "line", points: all.map((r) => `${x(r.nbytes)},${y(r.cosine_to_full)}`).join(" ") }));
  for (const rate of all) {
    drawing.append(svg("circle", { class: rate === here ? "here" : "dot", r: rate === here ? 7 : 4, cx: x(rate.nbytes), cy: y(rate.cosine_to_full) }));
    drawing.append(svg("text", { x: x(rate.nbytes), y: 190, "text-anchor": "middle" }, String(rate.nbytes)));
  }
  $("curve").replaceChildren(drawing);
}

function show(found) {
  const all = found.rates;
  const here = all[slider.value], full = all.at(-1);
  $("kept").textContent = nbytes(here.nbytes);
  slider.setAttribute("aria-valuetext", nbytes(here.nbytes));
  cells($("code"), found.code, here.nbytes);
  $("download").href = `/api/code/${id}.sem?bytes=${here.nbytes}`;
  $("labels").replaceChildren(...full.labels.map((label, at) => make("tr", {}, make("td", {}, words(label)), make("td", {}, here.labels[at] ? words(here.labels[at]) : ""))));
  $("neighbours").replaceChildren(...here.neighbours.map((item) => make("li", {}, tile(item, item.kept ? "kept" : "new", item.kept ? "strong" : "weak"))));
  $("lost").replaceChildren(...here.lost.map((item) => make("li", {}, tile(item))));
  $("gone").textContent = here.lost.length ? "Neighbours of the full code that are lost" : "No neighbour of the full code is lost";
  curve(all, here);
  const facts = {
    path: found.path,
    picture: `${found.width} × ${found.height}, ${found.file_bytes.toLocaleString("en")} bytes`,
    "cosine of the full code with the picture": found.fidelity === null ? "not known" : `at least ${cosine(found.fidelity)}`,
    "cosine of the kept bytes with the full code": cosine(here.cosine_to_full),
  };
  $("facts").replaceChildren(...Object.entries(facts).flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
}

try {
  const found = await ask("explain", `/api/explain/${id}`);
  $("title").textContent = name(found.path);
  $("picture").replaceChildren(frame(id, found.path, 800).firstChild);
  $("picture").firstChild.addEventListener("error", () => $("picture").replaceChildren("the original cannot be read here"));
  $("alike").href = `/?${new URLSearchParams({ q: `id:${id}` })}`;
  $("copy").addEventListener("click", (event) => copy(found.code.slice(0, 2 * found.rates[slider.value].nbytes), event.target));
  slider.addEventListener("input", () => show(found));
  show(found);
} catch (error) {
  complain(error);
}
