// The view of the sky: what is covered, images, objects. All of it comes from this server.

import A from "./aladin.js";
import { ask, latest, later, link, root, say } from "../parts/request.js";
import { elementColour } from "../parts/theme.js";

const find = (selector) => document.querySelector(selector);
const message = find("#sky-message"),
  missing = find("#sky-images"),
  table = find("#in-view tbody");
const [firstRa, firstDec, firstWidth] = (find("#field").value || "268 -29 0.3").split(" ").map(Number);

// Degrees: beyond the first no images are asked for; a view is wider than its field by the second.
const WIDEST = 1.0,
  MARGIN = 1.6;

await A.init;
const sky = A.aladin("#sky", {
  survey: [],
  hipsList: [],
  target: `${firstRa} ${firstDec}`,
  fov: firstWidth * MARGIN,
  cooFrame: "ICRS",
  projection: "TAN",
  showCooGrid: true,
  gridColor: "rgb(110, 150, 190)",
  gridOpacity: 0.8,
  backgroundColor: "rgb(5, 7, 11)",
  showReticle: false,
  reticleColor: "#ffd24d",
  showLayersControl: false,
  showGotoControl: false,
  showFrame: false,
  showProjectionControl: false,
  showShareControl: false,
  showSettingsControl: false,
  showContextMenu: false,
  showStatusBar: false,
  expandLayersControl: false,
  log: false,
});
window.skyView = sky;

const catalog = A.catalog({
  name: "objects",
  shape: "circle",
  color: "#ffd24d",
  sourceSize: 12,
  onClick: "showPopup",
});
const events = A.catalog({ name: "events", shape: "square", color: "#ff7bd5", sourceSize: 18 });
sky.addCatalog(catalog);
sky.addCatalog(events);
const layers = { coverage: [], images: [] };

sky.on("objectClicked", (object) => {
  if (object?.data?.object_id) location.href = `${root}/object/${object.data.object_id}`;
});

const fetchObjects = latest((signal, place) => ask("objects", place, signal));

function source(one) {
  return A.source(one.ra, one.dec, { object_id: one.object_id, name: one.object_id });
}

function place() {
  const [ra, dec] = sky.getRaDec();
  const [width, height] = sky.getFov();
  return { ra: ((ra % 360) + 360) % 360, dec, radius: Math.hypot(width, height) / 2 };
}

function listed(found) {
  table.replaceChildren(
    ...found.slice(0, 50).map((one) => {
      const row = document.createElement("tr"),
        name = document.createElement("th");
      name.scope = "row";
      name.append(link(`object/${one.object_id}`, one.object_id));
      row.append(name);
      for (const [text, isNumber] of [
        [one.ra.toFixed(6), true],
        [one.dec.toFixed(6), true],
        [one.ab_mag === null ? "–" : one.ab_mag.toFixed(2), true],
        [one.optical_element ?? "–", false],
        [one.has_event ? "yes" : "", false],
      ]) {
        const cell = row.insertCell();
        cell.textContent = text;
        cell.className = isNumber ? "n" : "";
      }
      return row;
    }),
  );
}

async function update() {
  try {
    const found = await fetchObjects(place());
    if (found === null) return;
    catalog.removeAll();
    events.removeAll();
    catalog.addSources(found.objects.filter((one) => !one.has_event).map(source));
    events.addSources(found.objects.filter((one) => one.has_event).map(source));
    listed(found.objects);
    find("#sky").dataset.objects = String(found.objects.length);
    say(
      message,
      found.is_crowded
        ? "Zoom in to see objects."
        : `${found.objects.length.toLocaleString("en")} objects${found.is_cut ? ", the brightest of more" : ""}; ` +
            "yellow circles, events pink squares. Choose one for its page.",
    );
  } catch (error) {
    say(message, error.message, true);
  }
}

const shownImages = new Set();

// An image that cannot be drawn keeps no other from being drawn.
async function addImages() {
  const { ra, dec, radius } = place();
  if (radius > WIDEST) return;
  for (const one of await ask("images", { ra, dec })) {
    if (shownImages.has(one.detector)) continue;
    shownImages.add(one.detector);
    await addImage(one).catch((error) =>
      say(missing, `Reference image ${one.detector} ${one.optical_element}: ${error.message}`, true),
    );
  }
}

async function addImage(one) {
  const wcs = await ask(`image/${one.reference_image_id}/wcs`);
  const address = `${location.origin}${root}/portal/data/image/${one.reference_image_id}.png`;
  const image = A.image(address, { name: `${one.detector} ${one.optical_element}`, imgFormat: "png", wcs });
  sky.setOverlayImageLayer(image, `reference ${one.reference_image_id}`);
  layers.images.push(image);
}

async function addCoverage() {
  for (const { optical_element: element, moc } of await ask("coverage")) {
    const made = A.MOCFromJSON(moc, {
      color: elementColour(element, find("#sky")),
      lineWidth: 2,
      fill: false,
      perimeter: true,
      name: `coverage ${element}`,
    });
    sky.addMOC(made);
    layers.coverage.push(made);
    const key = document.createElement("span");
    key.textContent = `▬ ${element}`;
    key.style.color = `var(--${element.toLowerCase()})`;
    find("#coverage-key").append(key);
  }
}

const soon = later(() => {
  update();
  addImages().catch((error) => say(message, error.message, true));
}, 250);
sky.on("positionChanged", soon);
sky.on("zoomChanged", soon);

function go(ra, dec, fov) {
  sky.gotoRaDec(ra, dec);
  if (fov) sky.setFoV(fov);
  soon();
}

find("#field").addEventListener("change", (event) => {
  const [ra, dec, width] = event.target.value.split(" ").map(Number);
  go(ra, dec, width * MARGIN);
});
find("#go").addEventListener("submit", (event) => {
  event.preventDefault();
  const numbers =
    find("#place")
      .value.match(/[-+]?\d+(\.\d+)?/g)
      ?.map(Number) ?? [];
  if (numbers.length !== 2 || !(Math.abs(numbers[1]) <= 90)) {
    say(message, "A place is a right ascension and a declination in degrees, such as 268.0 -29.2.", true);
    return;
  }
  go(((numbers[0] % 360) + 360) % 360, numbers[1], 0.02);
});
const visible = (id, work) => find(id).addEventListener("change", (event) => work(event.target.checked));
visible("#show-objects", (on) => [catalog, events].forEach((one) => (on ? one.show() : one.hide())));
visible("#show-coverage", (on) => layers.coverage.forEach((one) => (on ? one.show() : one.hide())));
visible("#show-images", (on) => layers.images.forEach((one) => one.setOpacity(on ? 1 : 0)));

await addCoverage().catch((error) => say(message, error.message, true));
await update();
await addImages().catch((error) => say(message, error.message, true));
find("#sky").dataset.ready = "yes";
