// What an author does to a resource by forms, with scripts and without, and what learners see of it.
import assert from "node:assert/strict";
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

const cues = "1\n00:00:01,000 --> 00:00:04,000\n今天学习打竹板。\n\n2\n00:00:05,000 --> 00:00:08,000\n先站稳，再起板。\n";

/** Sends the form of the button `value` and waits for the page that follows. */
async function send(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

for (const scripts of [true, false]) {
  test(`metadata, captions, poster, withdrawing, publishing, deleting; scripts ${scripts ? "on" : "off"}`, { timeout: 240_000 }, async () => {
    const first = await signedIn(chromium);
    const name = `竹板 ${scripts ? 1 : 0}.mp4`;
    const id = await upload(first.page, testVideo(folder, name, 14), name);
    await finished(first.page, id);
    const state = await first.context.storageState();
    await first.context.close();
    const context = await chromium.newContext({ locale: "zh-CN", javaScriptEnabled: scripts, storageState: state });
    const page = await context.newPage();
    const edit = `${base}/studio/resources/${id}`;
    const stranger = await chromium.newContext({ locale: "zh-CN" });
    const seen = async (path = "") => (await stranger.request.get(`${base}/resources/${id}${path}`)).status();

    await page.goto(edit);
    await page.fill("[name=title]", "打竹板");
    await page.fill("[name=description]", "第一段。\n\n第二段。");
    await page.selectOption("[name=language]", "zh");
    await page.locator("label.choice").filter({ hasText: "老年人" }).click();
    await send(page, "button[name=action][value=save]");
    assert.match(await page.locator(".notice.good").textContent(), /已保存/);
    assert.equal(await page.inputValue("[name=title]"), "打竹板");
    assert.ok(await page.locator("label.choice").filter({ hasText: "老年人" }).locator("input").isChecked());

    await page.fill("[name=title]", " ");
    await send(page, "button[name=action][value=save]");
    assert.match(await page.locator(".refusal").first().textContent(), /[\u4e00-\u9fff]{3}/);

    await page.goto(edit);
    const captions = join(folder, "竹板.srt");
    writeFileSync(captions, cues);
    await page.setInputFiles("#captions-file", captions);
    await page.selectOption("#captions-language", "zh");
    await send(page, ".caption-add button[value=add]");
    assert.match(await page.locator(".notice.good").textContent(), /字幕/);
    assert.equal(await page.locator(".caption-rows li").count(), 1);

    assert.ok((await page.locator(".poster-choice").count()) > 1, "there are posters to choose from");
    const before = await page.locator(".poster-choice input:checked").getAttribute("value");
    await page.locator(".poster-choice:not(:has(:checked))").last().click();
    await send(page, "button[name=action][value=poster]");
    assert.notEqual(await page.locator(".poster-choice input:checked").getAttribute("value"), before);

    assert.equal(await seen(), 200);
    const shown = await (await stranger.request.get(`${base}/resources/${id}`)).text();
    assert.match(shown, /今天学习打竹板/, "the transcript has what is said");
    await send(page, "button[name=action][value=withdraw]");
    assert.match(await page.locator("[data-state] .stage").textContent(), /已下架/);
    assert.equal(await seen(), 404);
    await send(page, "button[name=action][value=publish]");
    assert.match(await page.locator("[data-state] .stage").textContent(), /已发布/);
    assert.equal(await seen(), 200);

    await send(page, ".caption-rows button[name=remove]");
    assert.equal(await page.locator(".caption-rows li").count(), 0);
    page.on("dialog", (dialog) => dialog.accept());
    await page.click("details.danger summary");
    await send(page, "button[name=action][value=delete]");
    assert.match(page.url(), /\/studio$/);
    assert.equal(await seen(), 404);
    await context.close();
    await stranger.close();
  });
}

test("a wrong password is told in words, and the name stays", async () => {
  const context = await chromium.newContext({ locale: "zh-CN", javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${base}/login`);
  await page.fill("#name", "nobody");
  await page.fill("#password", "not the password");
  await send(page, "form[action='/login'] button[type=submit]");
  assert.match(await page.locator("[role=alert]").textContent(), /[\u4e00-\u9fff]{4}/);
  assert.equal(await page.inputValue("#name"), "nobody");
  await context.close();
});
