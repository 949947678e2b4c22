import { $, ask, calm, cells, complain, copy, make, nbytes, takePictures } from "./common.js";

const slider = $("rate");
let code = null, picture = null, playing;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const step = () => code.steps[slider.value];
const kept = () => code.code.slice(0, 2 * step().nbytes);

function show() {
  const now = step();
  $("kept").textContent = nbytes(now.nbytes);
  slider.setAttribute("aria-valuetext", nbytes(now.nbytes));
  cells($("code"), code.code, now.nbytes);
  $("labels").replaceChildren(
    make("li", {}, `cosine with the picture: ${now.cosine.toFixed(3)}`),
    ...now.labels.map((label) => make("li", { class: label.strength }, `${label.label} · ${label.strength}`)),
  );
  $("alike").href = `/?${new URLSearchParams({ q: `code:${kept()}` })}`;
}

// The code grows before the eyes, unless these prefer rest.
function play() {
  clearInterval(playing);
  const until = Math.min(15, code.steps.length - 1); // 16 bytes
  slider.value = still.matches ? until : 0;
  show();
  if (still.matches) return;
  playing = setInterval(() => {
    if (Number(slider.value) >= until) return clearInterval(playing);
    slider.value = Number(slider.value) + 1;
    show();
  }, 140);
}

async function take(file) {
  try {
    code = await ask("encode", "/api/encode", { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    calm();
    picture = file;
    const image = make("img", { alt: "the picture that was encoded" });
    image.src = URL.createObjectURL(file);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    $("picture").replaceChildren(image);
    $("done").textContent = "";
    slider.max = code.steps.length - 1;
    $("result").hidden = false;
    play();
  } catch (error) {
    complain(error);
  }
}

slider.addEventListener("input", () => { clearInterval(playing); show(); });
$("hex").addEventListener("click", (event) => copy(kept(), event.target));
$("base64").addEventListener("click", (event) => {
  copy(btoa(String.fromCharCode(...kept().match(/../g).map((pair) => parseInt(pair, 16)))), event.target);
});
$("add")?.addEventListener("click", async () => {
  try {
    const query = new URLSearchParams({ name: picture.name || "pasted.png" });
    const { path } = await ask("add", `/api/encode?${query}`, { method: "POST", body: picture, headers: { "content-type": "application/octet-stream" } });
    $("done").textContent = `kept as ${path}`;
  } catch (error) {
    complain(error);
  }
});
takePictures(take);
