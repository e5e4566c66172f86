// The caption editor: written beside a real player, saved, fought over, kept as a draft, on a phone and by keys alone.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { base, browser, finished, signedIn, testVideo, upload } from "./site.mjs";

let chromium;
let folder;
let id;

before(async () => {
  chromium = await browser();
  folder = mkdtempSync(join(tmpdir(), "duoku-web-"));
  const { context, page } = await signedIn(chromium);
  id = await upload(page, testVideo(folder, "编网.mp4", 14), "编网.mp4");
  await finished(page, id);
  await context.close();
});
after(async () => {
  await chromium?.close();
  rmSync(folder, { recursive: true, force: true });
});

const srt = "1\n00:00:01,000 --> 00:00:04,000\n今天学习编鱼网。\n\n2\n00:00:05,000 --> 00:00:08,000\n先起头 <i>再</i>收边 & 打结。\n\n3\n00:00:09,000 --> 00:00:11,000\n鱼网编好了。\n";

/** Puts captions there, as another program would. */
async function put(page, language, text = srt) {
  const answer = await page.request.put(`${base}/api/resources/${id}/captions/${language}?filename=a.srt`, { data: text, headers: { origin: base } });
  assert.equal(answer.status(), 204);
  return answer.headers()["etag"];
}

async function saved(page, language) {
  const answer = await page.request.get(`${base}/api/resources/${id}/captions/${language}`);
  return answer.text();
}

/** Opens the editor and waits until it can be used and the media can play. */
async function open(page, language) {
  // A page made just before the end still plays what grows.
  do await page.goto(`${base}/studio/resources/${id}/captions/${language}`);
  while ((await page.locator("[data-growing]").count()) > 0);
  await page.locator(".captions-end").waitFor();
  await page.waitForFunction(() => (document.querySelector("[data-captions-editor] video")?.readyState ?? 0) >= 2);
  // Until then the player may still put the media where they begin.
  await page.waitForTimeout(600);
}

const at = (page) => page.evaluate(() => document.querySelector("[data-captions-editor] video").currentTime);
const seek = (page, seconds) => page.evaluate((s) => new Promise((done) => {
  const media = document.querySelector("[data-captions-editor] video");
  media.addEventListener("seeked", done, { once: true });
  media.currentTime = s;
}), seconds);
const rows = (page) => page.locator(".cues-edited > li");
const state = (page, pattern) => page.locator(".captions-state").filter({ hasText: pattern }).waitFor();
const press = (page, label) => page.locator(".captions-buttons button").getByText(label, { exact: true }).click();

test("cues are edited, split, joined, moved, undone and saved", { timeout: 120_000 }, async () => {
  const { context, page, heard } = await signedIn(chromium);
  await put(page, "zh");
  await open(page, "zh");
  assert.equal(await rows(page).count(), 3);

  // A click seeks, and what is shown there is told under the picture.
  await page.locator(".cue-line").nth(1).click();
  await page.waitForFunction(() => Math.abs(document.querySelector("[data-captions-editor] video").currentTime - 5) < 0.2);
  await page.locator("[data-captions-now]").filter({ hasText: "先起头 再收边 & 打结。" }).waitFor();
  const text = page.locator(".cue.chosen textarea");
  assert.equal(await text.inputValue(), "先起头 <i>再</i>收边 & 打结。", "entities are read, markup stays");

  await text.fill("先起头，再收边。");
  assert.match(await page.locator(".cue.chosen").textContent(), /开始/);
  await seek(page, 6);
  await text.evaluate((field) => field.setSelectionRange(4, 4));
  await text.focus();
  await page.keyboard.press("Alt+Enter");
  assert.equal(await rows(page).count(), 4);
  assert.equal(await page.locator(".cue.chosen textarea").inputValue(), "再收边。");
  const [start] = await page.locator(".cue.chosen input").evaluateAll((fields) => fields.map(({ value }) => value));
  assert.equal(start, "0:06.000", "it is split where the media are");

  await page.keyboard.press("Alt+ArrowUp");
  await page.keyboard.press("Alt+j");
  assert.equal(await rows(page).count(), 3);
  assert.equal(await page.locator(".cue.chosen textarea").inputValue(), "先起头，再收边。");
  await page.keyboard.press("Control+z");
  assert.equal(await rows(page).count(), 4);
  await page.keyboard.press("Control+Shift+Z");
  assert.equal(await rows(page).count(), 3);

  await seek(page, 12);
  await press(page, "插入");
  await page.keyboard.type("谢谢大家");
  await press(page, "平移时间");
  await page.locator(".captions-panel input[type=number]").fill("0.5");
  await page.locator(".captions-panel select").last().selectOption("rest");
  await page.locator(".captions-panel button").getByText("平移", { exact: true }).click();
  await press(page, "查找替换");
  await page.getByLabel("查找", { exact: true }).fill("鱼网");
  await page.getByLabel("替换为").fill("渔网");
  await page.locator(".captions-panel button").getByText("全部替换").click();
  await page.locator(".captions-panel").filter({ hasText: "替换了 2 处" }).waitFor();

  await page.locator(".captions-end button").getByText("保存", { exact: true }).click();
  await state(page, "已保存");
  const vtt = await saved(page, "zh");
  assert.match(vtt, /00:00:01\.000 --> 00:00:04\.000\n今天学习编渔网。/);
  assert.match(vtt, /00:00:05\.000 --> 00:00:08\.000\n先起头，再收边。/);
  assert.match(vtt, /00:00:12\.500 --> 00:00:14\.500\n谢谢大家/);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("下载 .srt").click()]);
  const file = readFileSync(await download.path(), "utf8");
  assert.match(file, /^1\n00:00:01,000 --> 00:00:04,000\n今天学习编渔网。\n/);
  assert.deepEqual(heard, []);
  await context.close();
});

test("by keys alone: play, set times, walk, delete, save", { timeout: 120_000 }, async () => {
  const { context, page, heard } = await signedIn(chromium);
  await put(page, "zh");
  await open(page, "zh");
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Alt+p");
  await page.waitForFunction(() => document.querySelector("[data-captions-editor] video").currentTime > 1.6);
  await page.locator(".cue.now").filter({ hasText: "开始" }).waitFor();
  await page.keyboard.press("Alt+p");
  assert.ok(await page.evaluate(() => document.querySelector("[data-captions-editor] video").paused));
  await seek(page, 2);
  await page.keyboard.press("Alt+[");
  await seek(page, 3.5);
  await page.keyboard.press("Alt+]");
  await page.keyboard.press("Alt+,");
  assert.ok(Math.abs((await at(page)) - 2.5) < 0.1);
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Alt+Backspace");
  await page.keyboard.press("Control+s");
  await state(page, "已保存");
  const vtt = await saved(page, "zh");
  assert.match(vtt, /00:00:02\.000 --> 00:00:03\.500\n今天学习编鱼网。/);
  assert.doesNotMatch(vtt, /先起头/);
  assert.deepEqual(heard, []);
  await context.close();
});

test("what another saved meanwhile is not lost without a word", { timeout: 120_000 }, async () => {
  const { context, page } = await signedIn(chromium);
  await put(page, "zh");
  await open(page, "zh");
  await page.locator(".cue-line").first().click();
  await page.locator(".cue.chosen textarea").fill("我改的");
  await put(page, "zh", srt.replace("鱼网编好了", "别人改的"));
  await page.keyboard.press("Control+s");
  await page.locator(".captions-notices").filter({ hasText: "别人保存了新的字幕" }).waitFor();
  assert.match(await saved(page, "zh"), /别人改的/);
  await page.getByText("载入对方的").click();
  await page.locator(".cues-edited").filter({ hasText: "别人改的" }).waitFor();
  await press(page, "撤销");
  await page.waitForFunction(() => document.querySelector(".cue.chosen textarea")?.value === "我改的");
  await page.keyboard.press("Control+s");
  await state(page, "已保存");
  assert.match(await saved(page, "zh"), /我改的/);
  await context.close();
});

test("a draft is there again; new captions, a file, and removing", { timeout: 120_000 }, async () => {
  const { context, page } = await signedIn(chromium);
  await open(page, "en");
  assert.equal(await rows(page).count(), 0);
  await seek(page, 3);
  await press(page, "插入");
  await page.keyboard.type("A net is made.");
  await page.waitForTimeout(1200);
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${base}/studio`);
  await open(page, "en");
  await page.locator(".captions-notices").filter({ hasText: "已恢复" }).waitFor();
  await page.locator(".cues-edited").filter({ hasText: "A net is made." }).waitFor();
  await page.keyboard.press("Control+s");
  await state(page, "已保存");
  assert.match(await saved(page, "en"), /00:00:03\.000 --> 00:00:05\.000\nA net is made\./);

  const file = join(folder, "b.srt");
  writeFileSync(file, "1\n00:00:02,000 --> 00:00:03,000\nFrom a file.\n");
  await page.setInputFiles(".captions-end input[type=file]", file);
  await page.locator(".cues-edited").filter({ hasText: "From a file." }).waitFor();
  await page.getByText("删除整条字幕轨").click();
  await Promise.all([page.waitForURL(`${base}/studio/resources/${id}`), page.getByText("确定删除").click()]);
  assert.equal((await page.request.get(`${base}/api/resources/${id}/captions/en`)).status(), 404);
  await context.close();
});

test("on a phone everything is within reach", { timeout: 120_000 }, async () => {
  const { context, page, heard } = await signedIn(chromium, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await put(page, "zh");
  await open(page, "zh");
  await page.locator(".cue-line").nth(2).tap();
  await page.locator(".cue.chosen textarea").fill("渔网编好了。");
  await page.waitForFunction(() => Math.abs(document.querySelector("[data-captions-editor] video").currentTime - 9) < 0.2);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
  const video = await page.locator("[data-captions-editor] video").boundingBox();
  assert.ok(video.width > 200 && video.y >= 0 && video.y < 844, "the picture stays in sight");
  const small = await page.evaluate(() => [...document.querySelectorAll(".captions-work button, .captions-play .captions-buttons button")].filter((b) => b.offsetParent && b.getBoundingClientRect().height < 24).length);
  assert.equal(small, 0, "WCAG 2.2, 2.5.8");
  await page.locator(".captions-end button").getByText("保存", { exact: true }).tap();
  await state(page, "已保存");
  assert.match(await saved(page, "zh"), /渔网编好了/);
  assert.deepEqual(heard, []);
  await context.close();
});
