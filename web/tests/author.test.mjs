// An author's way: sign in, upload, watch the progress, correct the metadata, play; refusals in words.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { base, browser, signedIn, testVideo } from "./site.mjs";

let chromium;
let folder;

before(async () => {
  chromium = await browser();
  folder = mkdtempSync(join(tmpdir(), "duoku-web-"));
});
after(async () => {
  await chromium?.close();
  rmSync(folder, { recursive: true, force: true });
});

const video = (name, seconds) => testVideo(folder, name, seconds);
const author = (options) => signedIn(chromium, options);

test("a video is uploaded, its progress is told, and it plays", async () => {
  const { context, page, heard } = await author();
  await page.setInputFiles("[data-files]", video("第一课 编网.mp4"));
  const row = page.locator("[data-uploads] li").filter({ hasText: "第一课 编网.mp4" });
  await row.locator("a.text-button").waitFor({ timeout: 30_000 });
  const edit = await row.locator("a.text-button").getAttribute("href");
  await page.waitForFunction(
    () => ["ready", "published"].includes(document.querySelector("[data-uploads] li[data-resource]")?.dataset.stage ?? ""),
    null,
    { timeout: 120_000 },
  );
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(base + edit);
  await page.fill("[name=title]", "第一课：编网");
  await page.click("button[name=action][value=save]");
  await page.waitForLoadState("load");
  assert.equal(await page.inputValue("[name=title]"), "第一课：编网");
  await page.click('a[href^="/resources/"]');
  await page.locator(".shaka-controls-container").waitFor({ timeout: 20_000 });
  await page.evaluate(() => document.querySelector("video").play());
  await page.waitForFunction(() => document.querySelector("video").currentTime > 1, null, { timeout: 20_000 });
  const frames = await page.evaluate(() => document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames);
  assert.ok(frames > 5, `${frames} frames were shown`);
  assert.deepEqual(heard, []);
  await page.request.delete(`${base}/api${new URL(page.url()).pathname}`, { headers: { Origin: base } });
  await context.close();
});

test("an upload goes on where a dead line cut it off, and every byte arrives", async () => {
  const { context, page } = await author();
  const file = join(folder, "断点.wav");
  execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "anoisesrc=amplitude=0.1:duration=120", "-ar", "96000", "-ac", "1", file]);
  const line = await context.newCDPSession(page);
  await line.send("Network.enable");
  const net = (offline, bytes) => line.send("Network.emulateNetworkConditions", { offline, latency: 10, downloadThroughput: -1, uploadThroughput: bytes });
  await net(false, 3_000_000);
  const heads = [];
  page.on("response", (answer) => answer.request().method() === "HEAD" && answer.url().includes("/api/uploads/") && heads.push(Number(answer.headers()["upload-offset"])));
  await page.setInputFiles("[data-files]", file);
  const row = page.locator("[data-uploads] li").filter({ hasText: "断点.wav" });
  await page.waitForFunction(() => document.querySelector("[data-uploads] progress")?.value > 45, null, { timeout: 30_000 });
  await net(true, 0);
  await row.locator(".says").filter({ hasText: /线路断了|网络断了/ }).waitFor({ timeout: 20_000 });
  await page.waitForTimeout(2000);
  await net(false, -1);
  await row.locator("a.text-button").waitFor({ timeout: 60_000 });
  assert.ok(heads.some((offset) => offset > 0), `it asked where to go on: ${heads}`);
  const id = (await row.locator("a.text-button").getAttribute("href")).split("/").at(-1);
  const sha = (bytes) => createHash("sha256").update(bytes).digest("hex");
  const { links } = await (await page.request.get(`${base}/api/resources/${id}`)).json();
  const there = await page.request.get(new URL(links.original, base).href);
  assert.equal(sha(await there.body()), sha(readFileSync(file)));
  await page.request.delete(`${base}/api/resources/${id}`, { headers: { Origin: base } });
  await context.close();
});

test("a file that cannot be taken is refused with a sentence", async () => {
  const { context, page } = await author();
  const file = join(folder, "程序.exe");
  writeFileSync(file, "MZ not a lesson");
  await page.setInputFiles("[data-files]", file);
  const row = page.locator("[data-uploads] li[data-state=refused]").filter({ hasText: "程序.exe" });
  await row.waitFor({ timeout: 20_000 });
  const says = await row.locator(".says").textContent();
  assert.match(says, /[\u4e00-\u9fff]{4}/, `a Chinese sentence, not ${says}`);
  await context.close();
});

test("deleting asks first and works without scripts", async () => {
  const signed = await author();
  await signed.page.setInputFiles("[data-files]", video("要删的.mp4", 3));
  const link = signed.page.locator("[data-uploads] li").filter({ hasText: "要删的.mp4" }).locator("a.text-button");
  await link.waitFor({ timeout: 60_000 });
  const edit = await link.getAttribute("href");
  const state = await signed.context.storageState();
  await signed.context.close();
  const context = await chromium.newContext({ locale: "zh-CN", javaScriptEnabled: false, storageState: state });
  const page = await context.newPage();
  await page.goto(base + edit);
  assert.equal(await page.locator("button[value=delete]").isVisible(), false);
  await page.click("details.danger summary");
  await page.click("button[value=delete]");
  await page.waitForLoadState("load");
  const answer = await page.goto(base + edit);
  assert.equal(answer.status(), 404);
  await context.close();
});
