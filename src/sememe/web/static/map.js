import { $, ask, complain } from "./common.js";

const canvas = $("map"), pen = canvas.getContext("2d");
let points = [], view = { x: 0.5, y: 0.5, zoom: 1 };

const style = (name) => getComputedStyle(document.body).getPropertyValue(name);
const side = () => Math.min(canvas.clientWidth, canvas.clientHeight) * 0.94 * view.zoom;
const place = (point) => [
  canvas.clientWidth / 2 + (point.x - view.x) * side() * (canvas.clientWidth / canvas.clientHeight > 1.3 ? 1.4 : 1),
  canvas.clientHeight / 2 + (point.y - view.y) * side(),
];

function hue(label) {
  let sum = 0;
  for (const letter of label ?? "") sum = (sum * 31 + letter.charCodeAt(0)) % 360;
  return label ? `hsl(${sum} 55% 50%)` : style("--soft");
}

// The point nearest to the mean of all: a word stands at a picture, never between two heaps.
function middle(found) {
  const mean = [0, 1].map((axis) => found.reduce((sum, point) => sum + point[axis], 0) / found.length);
  const away = (point) => Math.hypot(point[0] - mean[0], point[1] - mean[1]);
  return found.reduce((best, point) => (away(point) < away(best) ? point : best));
}

function draw() {
  const scale = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const words = new Map();
  const radius = Math.min((points.length < 300 ? 5 : 2.5) + view.zoom * 0.4, 8);
  for (const point of points) {
    const [x, y] = place(point);
    pen.fillStyle = hue(point.label);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
    if (point.label) {
      words.set(point.label, [...(words.get(point.label) ?? []), [x, y]]);
    }
  }
  pen.textAlign = "center";
  pen.font = "600 13px ui-sans-serif, system-ui, sans-serif";
  pen.lineWidth = 4;
  pen.strokeStyle = style("--card");
  pen.fillStyle = style("--ink");
  const taken = [];
  for (const [word, found] of [...words].sort((a, b) => b[1].length - a[1].length).slice(0, 60)) {
    const [x, y] = middle(found);
    const at = [x, y < 26 ? y + radius + 15 : y - radius - 5];
    if (taken.some((other) => Math.abs(other[0] - at[0]) < 70 && Math.abs(other[1] - at[1]) < 18)) continue;
    taken.push(at);
    pen.strokeText(word, ...at);
    pen.fillText(word, ...at);
  }
}

function nearest(x, y, reach = 14) {
  let best = null;
  for (const point of points) {
    const [px, py] = place(point);
    const distance = Math.hypot(px - x, py - y);
    if (distance < reach) { best = point; reach = distance; }
  }
  return best;
}

const open = (point) => { if (point) location.href = `/image/${point.id}`; };

function zoom(factor) {
  view.zoom = Math.min(40, Math.max(1, view.zoom * factor));
  draw();
}

let from = null, moved = false;
canvas.addEventListener("pointerdown", (event) => { from = [event.offsetX, event.offsetY]; moved = false; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointermove", (event) => {
  if (from) {
    const [dx, dy] = [event.offsetX - from[0], event.offsetY - from[1]];
    if (Math.hypot(dx, dy) > 3) moved = true;
    view.x -= dx / side();
    view.y -= dy / side();
    from = [event.offsetX, event.offsetY];
    draw();
  } else {
    const point = nearest(event.offsetX, event.offsetY);
    $("under").textContent = point ? `image ${point.id}${point.label ? `: ${point.label}` : ""}` : "";
    canvas.style.cursor = point ? "pointer" : "grab";
  }
});
canvas.addEventListener("pointerup", (event) => { if (from && !moved) open(nearest(event.offsetX, event.offsetY)); from = null; });
canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2); }, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const step = 60 / side();
  const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (move) { view.x += move[0]; view.y += move[1]; draw(); event.preventDefault(); }
  else if (event.key === "+") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "Enter") open(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e9));
});
addEventListener("resize", draw);

try {
  points = await ask("map", "/api/map");
  draw();
  $("under").textContent = `${points.length.toLocaleString("en")} images`;
} catch (error) {
  complain(error);
}
