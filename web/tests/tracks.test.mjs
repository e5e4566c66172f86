// What the player makes of harder sources: several languages, and what is still being made.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { base, browser, finished, signedIn, testVideo, upload } from "./site.mjs";

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

/** Opens the player's menu and one of its pages; answers what can be chosen there. */
async function choices(page, button) {
  await page.hover(".player-box");
  if (!(await page.locator(".shaka-overflow-menu").isVisible())) await page.click(".shaka-overflow-menu-button");
  await page.click(`.shaka-overflow-menu ${button}`);
  const menu = page.locator(".shaka-sub-menu:not(.shaka-hidden)").last();
  await menu.waitFor();
  return menu;
}

test("two languages to hear and captions to read can be chosen", { timeout: 240_000 }, async () => {
  const captions = join(folder, "c.srt");
  writeFileSync(captions, "1\n00:00:00,500 --> 00:00:20,000\n欢迎来到社区课堂\n");
  const file = join(folder, "双语.mkv");
  execFileSync("ffmpeg", [
    "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=24",
    "-f", "lavfi", "-i", "sine=frequency=440:duration=24", "-f", "lavfi", "-i", "sine=frequency=880:duration=24", "-i", captions,
    "-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50",
    "-c:a", "aac", "-c:s", "srt", "-metadata:s:a:0", "language=chi", "-metadata:s:a:1", "language=eng", "-metadata:s:s:0", "language=chi", file,
  ]);
  const { context, page, heard } = await signedIn(chromium);
  const id = await upload(page, file, "双语.mkv");
  const resource = await finished(page, id);
  assert.equal(resource.stage, "published");
  await page.goto(`${base}/resources/${id}?t=2`);
  await page.waitForFunction(() => document.querySelector("video")?.currentTime > 2.5, null, { timeout: 30_000 });
  await page.locator(".shaka-text-container").filter({ hasText: "欢迎来到社区课堂" }).waitFor({ timeout: 10_000 });
  const languages = await choices(page, ".shaka-language-button");
  const heardIn = (await languages.locator("button[role=menuitemradio]").allTextContents()).join(" ");
  assert.match(heardIn, /中文|汉语|普通话/);
  assert.match(heardIn, /English|英语/);
  await languages.locator("button").filter({ hasText: /English|英语/ }).click();
  await page.waitForFunction(() => localStorage.getItem("duoku.audio")?.startsWith("en"), null, { timeout: 15_000 });
  assert.deepEqual(heard, []);
  await page.request.delete(`${base}/api/resources/${id}`, { headers: { Origin: base } });
  await context.close();
});

test("a long video plays before it is through, and its playlist grows to the end", { timeout: 420_000 }, async () => {
  // MPEG-4 part 2 cannot be copied: each of the three parts has to be encoded.
  const file = testVideo(folder, "长课.mp4", 130, ["-c:v", "mpeg4", "-q:v", "6", "-g", "50"]);
  const { context, page, heard } = await signedIn(chromium);
  const id = await upload(page, file, "长课.mp4");
  const api = async () => (await page.request.get(`${base}/api/resources/${id}`)).json();
  let resource = await api();
  while (resource.stage === "processing" && !resource.links?.hls) {
    await new Promise((wake) => setTimeout(wake, 300));
    resource = await api();
  }
  assert.equal(resource.stage, "processing", "it can be played while it is processed");
  await page.goto(`${base}/resources/${id}`);
  await page.locator(".shaka-controls-container").waitFor({ timeout: 20_000 });
  await page.evaluate(() => document.querySelector("video").play());
  await page.waitForFunction(() => document.querySelector("video").currentTime > 1, null, { timeout: 30_000 });
  resource = await api();
  assert.equal(resource.stage, "processing", "it plays before it is through");
  assert.equal((await finished(page, id)).stage, "published");
  await page.waitForFunction(
    () => {
      const video = document.querySelector("video");
      return video.duration > 129 && video.readyState >= 3 && !video.paused && !video.seeking;
    },
    null,
    { timeout: 60_000 },
  );
  await page.evaluate(() => (document.querySelector("video").currentTime = 121));
  await page.waitForFunction(() => document.querySelector("video").currentTime > 122, null, { timeout: 30_000 });
  assert.deepEqual(heard, []);
  await page.request.delete(`${base}/api/resources/${id}`, { headers: { Origin: base } });
  await context.close();
});
