// What all pages share: asking the server, making elements, the cells of a code. Text is never read as markup.

export const body = document.body;
export const rates = body.dataset.rates.split(",").map(Number);
export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

let asked = {};

// Ask; a question of the same kind that is still open is given up.
export async function ask(kind, path, options = {}) {
  asked[kind]?.abort();
  const controller = (asked[kind] = new AbortController());
  const response = await fetch(path, { ...options, signal: controller.signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

export function complain(error) {
  if (error.name === "AbortError") return;
  const place = $("problem");
  place.textContent = error.message;
  place.hidden = false;
}

export const calm = () => { $("problem").hidden = true; };

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB"];
  let size = count, unit = 0;
  while (size >= 1000 && unit < 3) { size /= 1000; unit += 1; }
  return `${unit && size < 100 ? size.toFixed(1) : Math.round(size).toLocaleString("en")} ${units[unit]}`;
}

export const nbytes = (n) => `${n} byte${n === 1 ? "" : "s"}`;

export function name(path) {
  return path.split("/").pop();
}

// Words for pictures that cannot be shown, asked for together.
const wordless = new Map();
let gathering;
function describe(id, place) {
  wordless.set(id, place);
  clearTimeout(gathering);
  gathering = setTimeout(async () => {
    const some = [...wordless].slice(0, 100);
    for (const [one] of some) wordless.delete(one);
    try {
      const found = await ask(`labels ${some[0][0]}`, `/api/labels?${new URLSearchParams(some.map(([one]) => ["item", one]))}`);
      for (const [one, there] of some) there.append(make("span", { class: "card" }, found[one].join(" · ")));
    } catch { /* the names are there */ }
  }, 60);
}

// A thumbnail, or a card with name and words where the original cannot be read.
export function frame(id, path, side = 320) {
  const place = make("span", { class: "frame" });
  const picture = make("img", { src: `/api/picture/${id}?side=${side}`, alt: "", loading: "lazy", decoding: "async" });
  picture.addEventListener("error", () => {
    place.replaceChildren(make("span", {}, name(path)));
    describe(id, place);
  });
  place.append(picture);
  return place;
}

export function tile(item, words = "", style = "") {
  const caption = make("span", { class: "words" }, make("bdi", { class: "path" }, name(item.path)));
  if (words) caption.append(make("span", { class: style }, words));
  return make("a", { class: "tile", href: `/image/${item.id}`, title: item.path }, frame(item.id, item.path), caption);
}

export function cells(place, hex, kept) {
  const all = hex.match(/../g) ?? [];
  place.replaceChildren(...all.map((pair, at) => {
    const cell = make("i", at < kept ? {} : { class: "cut" }, pair);
    cell.style.setProperty("--h", Math.round((parseInt(pair, 16) / 256) * 360));
    return cell;
  }));
  place.setAttribute("aria-label", `code ${all.slice(0, kept).join(" ")}${kept < all.length ? `, ${all.length - kept} more bytes cut` : ""}`);
}

export async function copy(text, button) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "could not copy";
  }
  setTimeout(() => { button.textContent = said; }, 1200);
}

// Pictures dropped or pasted anywhere, or chosen.
export function takePictures(take) {
  const first = (files) => [...files].find((file) => file.type.startsWith("image/"));
  $("file").addEventListener("change", (event) => {
    const file = first(event.target.files);
    if (file) take(file);
  });
  $("file").addEventListener("click", (event) => { event.target.value = ""; }); // the same picture again is a change
  addEventListener("paste", (event) => {
    const file = first(event.clipboardData.files);
    if (file) take(file);
  });
  addEventListener("dragover", (event) => { event.preventDefault(); body.classList.add("dropping"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) body.classList.remove("dropping"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("dropping");
    const file = first(event.dataTransfer.files);
    if (file) take(file);
  });
}
