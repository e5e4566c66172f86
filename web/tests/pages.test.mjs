// Every page, light and dark, phone and desktop: no accessibility violation, no sideways scrolling, no
// layout shift, no more bytes than allowed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { base, browser, complaints, resources, signIn } from "./site.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Bytes over the wire of a page without the player: 150 KB without pictures and media. */
const most_bytes = 150_000;

let chromium;
let paths;
let state;

before(async () => {
  chromium = await browser();
  const context = await chromium.newContext({ locale: "zh-CN" });
  const page = await context.newPage();
  await signIn(page);
  const edit = await page.locator('[data-rows] a[href^="/studio/resources/"]').first().getAttribute("href");
  state = await context.storageState();
  await context.close();
  const [found, video, audio, document, image] = await Promise.all([
    "x", ...["video", "audio", "document", "image"].map(resources),
  ]);
  assert.equal(found, "x");
  const first = [video, audio, document, image].flatMap((ids) => ids.slice(0, 1)).map((id) => `/resources/${id}?q=${encodeURIComponent("剪纸")}`);
  paths = [
    "/", `/search?q=${encodeURIComponent("剪纸")}`, "/search?q=", "/search?q=qqqqqqqqq", "/libraries", "/libraries/main",
    ...first, "/login", "/nowhere", "/studio", edit,
  ];
});
after(() => chromium?.close());

for (const scheme of ["light", "dark"]) {
  for (const [width, height] of [[390, 844], [1280, 800]]) {
    test(`all pages are accessible and steady, ${scheme}, ${width} px`, { timeout: 300_000 }, async () => {
      const wrong = [];
      for (const path of paths) wrong.push(...(await look(path, scheme, width, height)));
      assert.deepEqual(wrong, []);
    });
  }
}

async function look(path, colorScheme, width, height) {
  const context = await chromium.newContext({ locale: "zh-CN", colorScheme, viewport: { width, height }, storageState: state, bypassCSP: true });
  const page = await context.newPage();
  const heard = complaints(page);
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  let bytes = 0;
  page.on("requestfinished", async (request) => {
    if (!["document", "script", "stylesheet", "font"].includes(request.resourceType()) || request.url().includes("shaka")) return;
    const sizes = await request.sizes().catch(() => null);
    bytes += (sizes?.responseBodySize ?? 0) + (sizes?.responseHeadersSize ?? 0);
  });
  await page.goto(base + path, { waitUntil: "load" });
  if (path.startsWith("/resources/")) await page.waitForTimeout(1500);
  const wrong = [...heard];
  const shift = await page.evaluate(() => window.shift);
  if (shift > 0.01) wrong.push(`layout shift ${shift}`);
  if (bytes > most_bytes) wrong.push(`${bytes} bytes`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) wrong.push(`scrolls ${over} px sideways`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }), tags);
  for (const { id, nodes } of violations) wrong.push(`${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`);
  await context.close();
  return wrong.map((what) => `${path}: ${what}`);
}
