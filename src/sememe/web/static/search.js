import { $, ask, body, bytes, calm, complain, make, nbytes, rates, takePictures, tile } from "./common.js";

const PAGE = 48;
const AHEAD = 600; // pixels below the window that are filled already
const MOST = 960; // tiles in the page: a person does not scroll farther, and it stays light
const input = $("q"), slider = $("rate"), results = $("results");
let shown = 0, more = false, likely = 0, loading = false;

const rate = () => rates[slider.value];

// The state is the URL: what is looked for, and how many bytes are kept.
function fromUrl() {
  const state = new URLSearchParams(location.search);
  input.value = state.get("q") ?? "";
  const at = rates.indexOf(Number(state.get("bytes")));
  slider.value = at < 0 ? rates.length - 1 : at;
  show();
}

function toUrl(replace) {
  const state = new URLSearchParams();
  if (input.value.trim()) state.set("q", input.value.trim());
  if (rate() !== rates.at(-1)) state.set("bytes", rate());
  const url = `${location.pathname}${state.size ? `?${state}` : ""}`;
  if (url === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}

function headline() {
  $("size").textContent = bytes(rate() * Number(body.dataset.images));
  $("kept").textContent = nbytes(rate());
  slider.setAttribute("aria-valuetext", nbytes(rate()));
}

function terms(query) {
  return query.split(/(?:^|\s)([+-])(?=\s)/).reduce((found, part) => {
    if (part === "+" || part === "-") found.push([part, ""]);
    else if (found.length && !found.at(-1)[1]) found.at(-1)[1] = part.trim();
    else if (part.trim()) found.push(["+", part.trim()]);
    return found;
  }, []).filter(([, value]) => value);
}

function chips() {
  const all = terms(input.value);
  const few = all.length < 2 && !/^(id|code):/.test(all[0]?.[1] ?? "");
  $("chips").replaceChildren(...(few ? [] : all.map(([sign, value], at) => make("button", {
    type: "button",
    class: sign === "-" ? "minus" : "plus",
    title: "take this term out",
    onclick: () => {
      const left = all.filter((_, other) => other !== at);
      input.value = left.map(([s, v], i) => (i || s === "-" ? `${s} ${v}` : v)).join(" ");
      look();
    },
  }, `${sign === "-" ? "−" : "+"} ${value.startsWith("code:") ? "this picture" : value.startsWith("id:") ? `image ${value.slice(3)}` : value}`))));
}

async function page(start) {
  const query = input.value.trim();
  const place = { start, count: PAGE };
  return query
    ? ask("search", `/api/search?${new URLSearchParams({ q: query, bytes: rate(), ...place })}`)
    : ask("search", `/api/browse?${new URLSearchParams(place)}`);
}

async function show() {
  more = false;
  headline();
  chips();
  try {
    const found = await page(0);
    calm();
    shown = 0;
    results.replaceChildren();
    likely = found.likely ?? Infinity;
    append(found);
    $("agree").textContent = input.value.trim() ? verdict(found) : "";
    growIfNear();
  } catch (error) {
    complain(error);
  }
}

function verdict({ likely, more, hits, agree }) {
  if (rate() !== rates.at(-1)) return `${agree.same} of the best ${agree.of} are those of the full code`;
  if (!likely) return "nothing here matches: what follows is only the nearest";
  if (likely >= hits.length && more) return "many probable matches";
  return likely === 1 ? "one probable match" : `${likely} probable matches`;
}

function append(found) {
  for (const hit of found.hits) {
    if (shown === likely) results.append(make("li", { class: "edge" }, "below this line: probably not matches"));
    results.append(make("li", {}, tile(hit, hit.strength ?? "", hit.strength)));
    shown += 1;
  }
  more = found.more && shown < MOST;
  $("more").textContent = more ? "scroll for more" : "";
}

async function grow() {
  if (!more || loading) return;
  loading = true;
  try {
    append(await page(shown));
  } catch (error) {
    more = false; // until something else is asked
    complain(error);
  }
  loading = false;
  growIfNear();
}

// A tall window is not filled by one page, and what stays in sight is not announced again.
function growIfNear() {
  if (more && $("more").getBoundingClientRect().top < innerHeight + AHEAD) grow();
}

let waiting;
function look(replace = false) {
  clearTimeout(waiting);
  toUrl(replace);
  show();
}

input.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => look(true), 180);
});
$("search").addEventListener("submit", (event) => { event.preventDefault(); look(); });
slider.addEventListener("input", () => look(true));
addEventListener("popstate", fromUrl);
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) grow(); }, { rootMargin: `${AHEAD}px` }).observe($("more"));

takePictures(async (file) => {
  try {
    const { code } = await ask("encode", "/api/encode", { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    input.value = `code:${code}`;
    look();
  } catch (error) {
    complain(error);
  }
});

// Arrows walk the results, / goes to the query.
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.select();
    return;
  }
  const tiles = [...results.querySelectorAll(".tile")];
  const at = tiles.indexOf(document.activeElement);
  if (document.activeElement === input && event.key === "ArrowDown" && tiles.length) {
    event.preventDefault();
    tiles[0].focus();
  } else if (at >= 0) {
    const across = tiles.findIndex((tile) => tile.getBoundingClientRect().top > tiles[0].getBoundingClientRect().top + 4);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across > 0 ? across : 1, ArrowUp: across > 0 ? -across : -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    if (at + step < 0) input.focus();
    else tiles[Math.min(at + step, tiles.length - 1)].focus();
  }
});

fromUrl();
