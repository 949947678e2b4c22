import { $, ask, cells, complain, copy, frame, make, name, nbytes, rates, tile } from "./common.js";

const id = Number(location.pathname.split("/").pop());
const slider = $("rate");
const cosine = (value) => value.toFixed(3);

const words = (label) => make("span", { class: label.strength }, `${label.label} · ${label.strength}`);

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Lines of cosine by bytes, both ends of the scale taken from what there is to show.
function curve(lines, here) {
  const all = lines.flatMap((line) => line.points);
  const low = Math.floor(Math.min(...all.map((point) => point[1]), 0.5) * 10) / 10;
  const most = Math.log2(Math.max(...all.map((point) => point[0]), 2));
  const x = (n) => 46 + (Math.log2(n) / most) * 530;
  const y = (value) => 216 - ((value - low) / (1 - low)) * 196;
  const said = lines.map((line) => `${line.name}: ${line.points.map(([n, value]) => `${cosine(value)} at ${nbytes(n)}`).join(", ")}`).join("; ");
  const drawing = svg("svg", { viewBox: "0 0 600 244", role: "img", "aria-label": said });
  for (const value of [low, (1 + low) / 2, 1]) {
    drawing.append(svg("line", { class: "axis", x1: 46, x2: 576, y1: y(value), y2: y(value) }));
    drawing.append(svg("text", { x: 4, y: y(value) + 4 }, value.toFixed(2)));
  }
  for (let n = 1; Math.log2(n) <= most; n *= most > 8 ? 4 : 2) {
    drawing.append(svg("text", { x: x(n), y: 238, "text-anchor": "middle" }, n.toLocaleString("en")));
  }
  for (const line of lines) {
    drawing.append(svg("polyline", { class: `line ${line.style}`, points: line.points.map(([n, value]) => `${x(n)},${y(value)}`).join(" ") }));
    for (const [n, value] of line.points) {
      const chosen = line === lines[0] && n === here;
      drawing.append(svg("circle", { class: chosen ? "here" : `dot ${line.style}`, r: chosen ? 7 : 3.5, cx: x(n), cy: y(value) }));
    }
  }
  const legend = make("ul", { class: "legend" }, ...lines.map((line) => make("li", {}, make("span", { class: `key ${line.style}` }), line.name)));
  $("curve").replaceChildren(drawing, ...(lines.length > 1 ? [legend] : []));
}

const places = (points, key) => points.map((point) => [point.nbytes, point[key]]);
const STYLES = { WebP: "webp", JPEG: "jpeg" };
let beside = null;

function lines(found) {
  if (!beside) return [{ name: "this code", style: "ours", points: places(found.rates, "cosine_to_full") }];
  const codecs = Object.entries(beside.codecs).map(([codec, points]) => ({ name: `${codec} thumbnail`, style: STYLES[codec], points: places(points, "cosine") }));
  return [{ name: "this code", style: "ours", points: places(beside.ours, "cosine") }, ...codecs];
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
  curve(lines(found), here.nbytes);
  redraw(here.nbytes);
  const facts = {
    path: found.path,
    picture: `${found.width} × ${found.height}, ${found.file_bytes.toLocaleString("en")} bytes`,
    "cosine of the full code with the picture": found.fidelity === null ? "not known" : `at least ${cosine(found.fidelity)}`,
    "cosine of the kept bytes with the full code": cosine(here.cosine_to_full),
  };
  $("facts").replaceChildren(...Object.entries(facts).flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
}

// The generated picture follows the slider when it rests: one drawing takes the server about a second.
let seed = 0, resting, drawn = false;
function redraw(n) {
  if (!drawn) return;
  clearTimeout(resting);
  $("generated").classList.add("waiting");
  resting = setTimeout(() => {
    const image = make("img", { alt: `a picture generated from ${nbytes(n)}, which is not evidence` });
    image.addEventListener("load", () => {
      $("generated").replaceChildren(image);
      $("generated").classList.remove("waiting");
      $("generated-from").textContent = `Generated from ${nbytes(n)}, not evidence: one of many pictures that could have given this code.`;
    });
    image.addEventListener("error", () => { $("generated").textContent = "could not be drawn now"; });
    image.src = `/api/generated/${id}?${new URLSearchParams({ bytes: n, seed })}`;
  }, 250);
}

// What needs the original or a generator comes later, or not at all.
async function more(found) {
  const { generator } = await ask("generator", "/api/generator");
  if (generator) {
    drawn = true;
    $("drawn").hidden = false;
    $("again").addEventListener("click", () => { seed += 1; redraw(found.rates[slider.value].nbytes); });
    redraw(found.rates[slider.value].nbytes);
  }
  try {
    beside = await ask("thumbnails", `/api/thumbnails/${id}`);
    $("curve-title").textContent = "Nearness to the original, by bytes: this code beside thumbnails";
    show(found);
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
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
  await more(found);
} catch (error) {
  complain(error);
}
