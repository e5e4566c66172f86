// A learner's way: home, search, a moment, playing at that second; a page of a document; the keyboard.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, browser, complaints, resources } from "./site.mjs";

let chromium;
before(async () => (chromium = await browser()));
after(() => chromium?.close());

async function open(options = {}) {
  const context = await chromium.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  return { context, page, heard: complaints(page) };
}

test("from the front page to the second at which a word is said", async () => {
  const { context, page, heard } = await open();
  await page.goto(base);
  await page.fill("main form[role=search] input[type=search]", "剪纸");
  await page.press("main form[role=search] input[type=search]", "Enter");
  await page.waitForURL(/\/search\?/);
  assert.ok((await page.locator(".hit").count()) > 0, "剪纸 is found");
  const moment = page.locator('.hit a.moment[href*="t="]').first();
  const seconds = Number(new URL(await moment.getAttribute("href"), base).searchParams.get("t"));
  await moment.click();
  await page.waitForURL(/\/resources\//);
  await page.waitForFunction(
    (from) => {
      const media = document.querySelector("video, audio");
      return media && !media.paused && media.currentTime > from && media.readyState >= 3;
    },
    seconds,
    { timeout: 20_000 },
  );
  const now = await page.evaluate(() => document.querySelector("video, audio").currentTime);
  assert.ok(now - seconds < 15, `plays from ${seconds} s, is at ${now} s`);
  const frames = await page.evaluate(() => document.querySelector("video")?.getVideoPlaybackQuality().totalVideoFrames ?? 99);
  assert.ok(frames > 0, "pictures are decoded");
  assert.match(await page.locator("[data-moments] a mark").first().textContent(), /剪纸/);
  assert.deepEqual(heard, []);
  await context.close();
});

test("a place is kept and taken up again", async () => {
  const { context, page } = await open();
  const ids = await resources("video");
  const long = await firstLongerThan(ids, 30_000);
  await page.goto(`${base}/resources/${long}?t=14`);
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 15, null, { timeout: 20_000 });
  await page.evaluate(() => document.querySelector("video").pause());
  await page.goto(`${base}/resources/${long}`);
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) >= 14, null, { timeout: 20_000 });
  await context.close();
});

async function firstLongerThan(ids, ms) {
  for (const id of ids) {
    const { duration_ms } = await (await fetch(`${base}/api/resources/${id}`)).json();
    if (duration_ms > ms) return id;
  }
  throw new Error(`no video is longer than ${ms} ms`);
}

test("the player speaks Chinese, has a transcript that seeks, and obeys keys", async () => {
  const { context, page, heard } = await open();
  await page.goto(`${base}/search?q=${encodeURIComponent("剪纸")}&kind=video`);
  await page.locator(".hit h2 a").first().click();
  await page.locator(".shaka-controls-container").waitFor({ timeout: 20_000 });
  const labels = await page.locator(".shaka-controls-container button").evaluateAll((all) => all.map((one) => one.ariaLabel ?? "").join(" "));
  assert.match(labels, /播放|暂停/);
  const line = page.locator("[data-transcript] a[data-start]").nth(1);
  const seconds = Number(await line.getAttribute("data-start")) / 1000;
  await line.click();
  await page.waitForFunction((from) => Math.abs(document.querySelector("video").currentTime - from) < 8, seconds);
  await page.locator(".player-box").focus();
  const before = await page.evaluate(() => { const video = document.querySelector("video"); video.pause(); return video.currentTime; });
  await page.keyboard.press("ArrowRight");
  const moved = await page.evaluate(() => document.querySelector("video").currentTime);
  assert.ok(moved > before, "the right arrow goes forward");
  assert.deepEqual(heard, []);
  await context.close();
});

test("a document opens at a page, with words that can be selected and query words marked", async () => {
  const { context, page, heard } = await open();
  const [id] = await resources("document");
  assert.ok(id, "there is a document");
  await page.goto(`${base}/resources/${id}?page=2`);
  await page.waitForFunction(() => document.querySelector("#page-number")?.value === "2");
  await page.locator('.sheet[data-n="2"] .words span').first().waitFor({ timeout: 10_000 });
  const word = await page.locator('.sheet[data-n="2"] .words').evaluate((layer) => /[\u4e00-\u9fff]{2}/.exec(layer.textContent)?.[0]);
  assert.ok(word, "the page has Chinese words");
  await page.goto(`${base}/resources/${id}?page=2&q=${encodeURIComponent(word)}`);
  const marked = page.locator('.sheet[data-n="2"] .hit-word').first();
  await marked.waitFor({ timeout: 10_000 });
  assert.equal(await marked.textContent(), word, "the word is marked, not its line");
  assert.deepEqual(heard, []);
  await context.close();
});

test("nothing is sent while an input method composes", async () => {
  const { context, page } = await open();
  const asked = [];
  page.on("request", (request) => request.url().includes("/api/suggest") && asked.push(request.url()));
  await page.goto(base);
  const session = await context.newCDPSession(page);
  await page.focus("#q");
  await session.send("Input.imeSetComposition", { text: "jianzhi", selectionStart: 7, selectionEnd: 7 });
  await page.waitForTimeout(600);
  assert.deepEqual(asked, [], "no request for an unfinished syllable");
  await session.send("Input.insertText", { text: "剪纸" });
  await page.waitForFunction(() => document.querySelector("#q").value === "剪纸");
  await page.locator("#q-suggestions li").first().waitFor({ timeout: 5000 });
  assert.ok(asked.every((url) => decodeURIComponent(url).includes("剪纸")));
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await page.getAttribute("#q", "aria-activedescendant"), null);
  await context.close();
});

test("the language and the theme stay as chosen", async () => {
  const { context, page } = await open();
  await page.goto(base);
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  await page.click("header a.language");
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await page.goto(`${base}/libraries`);
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await page.click("[data-theme-switch]");
  await page.reload();
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  await context.close();
});

test("without scripts one can search, read and see where to watch", async () => {
  const { context, page } = await open({ javaScriptEnabled: false });
  await page.goto(base);
  await page.fill("#q", "剪纸");
  await page.press("#q", "Enter");
  await page.waitForURL(/\/search\?/);
  assert.ok((await page.locator(".hit").count()) > 0);
  await page.locator(".hit h2 a").first().click();
  await page.waitForURL(/\/resources\//);
  assert.ok((await page.locator("h1").textContent()).length > 0);
  assert.ok(await page.locator(".downloads a").first().isVisible());
  const [id] = await resources("document");
  await page.goto(`${base}/resources/${id}`);
  await page.waitForLoadState("load");
  const drawn = await page.locator(".sheet img").first().evaluate((image) => image.complete && image.naturalWidth > 0);
  assert.ok(drawn, "the first page is shown as a picture");
  await context.close();
});
