// What a canvas of canvas.py does. `props.value.picture` is the address of the picture beneath,
// `props.value.map` the drawing as the data URL of a PNG, or "" while nothing is painted.
const SIZE = 1024;
const UNDONE = 20; // strokes that can be taken back
const stage = element.querySelector(".nst-stage");
const nothing = element.querySelector(".nst-no-picture");
const picture = element.querySelector("img");
const canvas = element.querySelector("canvas");
const pen = canvas.getContext("2d", { willReadFrequently: true });
const brush = element.querySelector("input");
const swatches = [...element.querySelectorAll("[data-color]")];
const before = [];
let color, last, shown;

// #rrggbb as three numbers.
const rgb = (name) => {
  pen.fillStyle = name;
  return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
};
const palette = swatches.map((swatch) => swatch.dataset.color).filter(Boolean).map(rgb);

const choose = (swatch) => {
  color = swatch.dataset.color;
  for (const one of swatches) one.setAttribute("aria-pressed", one === swatch);
};

// Edges of a stroke are mixtures: each pixel becomes the nearest color, or bare.
const flatten = () => {
  const image = pen.getImageData(0, 0, canvas.width, canvas.height);
  const data = image.data;
  let painted = false;
  for (let at = 0; at < data.length; at += 4) {
    if (!data[at + 3]) continue;
    const bare = data[at + 3] < 128;
    let nearest = palette[0], least = Infinity;
    for (const one of bare ? [] : palette) {
      const far = (one[0] - data[at]) ** 2 + (one[1] - data[at + 1]) ** 2 + (one[2] - data[at + 2]) ** 2;
      if (far < least) [nearest, least] = [one, far];
    }
    painted ||= !bare;
    for (let channel = 0; channel < 3; channel++) data[at + channel] = nearest[channel];
    data[at + 3] = bare ? 0 : 255;
  }
  pen.putImageData(image, 0, 0);
  return painted;
};

const keep = (map) => {
  shown = map;
  props.value = { ...props.value, map };
};

const show = async (map) => {
  shown = map;
  const image = new Image();
  if (map) {
    image.src = map;
    await image.decode().catch(() => {});
    if (shown !== map) return; // another came meanwhile
  }
  pen.globalCompositeOperation = "source-over";
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (map && image.width) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
};

const follow = () => {
  const { picture: address, map } = props.value;
  stage.hidden = !address;
  nothing.hidden = Boolean(address);
  if (!map) before.length = 0; // another picture
  if (address && picture.getAttribute("src") !== address) picture.src = address;
  else if (map !== shown) {
    if (map) before.push(shown || ""); // a map that was uploaded
    show(map);
  }
};

picture.onload = () => {
  const scale = Math.min(1, SIZE / Math.max(picture.naturalWidth, picture.naturalHeight));
  canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
  stage.style.setProperty("--ratio", canvas.width / canvas.height);
  pen.imageSmoothingEnabled = false;
  show(props.value.map);
};

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.x) * canvas.width) / box.width,
    ((event.clientY - box.y) * canvas.height) / box.height,
  ];
};

const stroke = (to) => {
  pen.globalCompositeOperation = color ? "source-over" : "destination-out";
  pen.strokeStyle = color || "black";
  pen.lineCap = pen.lineJoin = "round";
  pen.lineWidth = (brush.value / 100) * Math.max(canvas.width, canvas.height);
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(to[0] + 0.01, to[1]); // a line of no length paints nothing, not even a tap's dot
  pen.stroke();
  last = to;
};

canvas.onpointerdown = (event) => {
  if (event.button || !event.isPrimary) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  before.push(props.value.map);
  if (before.length > UNDONE) before.shift();
  last = place(event);
  stroke(last);
};
canvas.onpointermove = (event) => {
  if (!last || !event.isPrimary) return;
  for (const one of event.getCoalescedEvents?.() ?? []) stroke(place(one));
  stroke(place(event));
};
canvas.onpointerup = canvas.onpointercancel = (event) => {
  if (!last || !event.isPrimary) return;
  last = undefined;
  keep(flatten() ? canvas.toDataURL("image/png") : "");
};

for (const swatch of swatches) swatch.onclick = () => choose(swatch);
element.querySelector("[data-do=undo]").onclick = () => {
  if (!before.length) return;
  keep(before.pop());
  show(props.value.map);
};
element.querySelector("[data-do=clear]").onclick = () => {
  if (!props.value.map) return;
  before.push(props.value.map);
  keep("");
  show("");
};

watch("value", follow);
choose(swatches[0]);
follow();
