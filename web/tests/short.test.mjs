// The form of one minute, on a phone: upload, look at the guesses, confirm all, published; and without scripts.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { base, browser, finished, signedIn, testVideo } from "./site.mjs";

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const name = "03-黄海渔民编网技艺_20231012.mp4";
let chromium;
let folder;

before(async () => {
  chromium = await browser();
  folder = mkdtempSync(join(tmpdir(), "duoku-short-"));
});
after(async () => {
  await chromium?.close();
  rmSync(folder, { recursive: true, force: true });
});

const checked = (page, field) =>
  page.locator(`input[name="${field}"]:checked`).evaluateAll((all) => all.map((one) => one.value));

test("a village teacher confirms guesses on a phone and it is published", async () => {
  const { context, page, heard } = await signedIn(chromium, phone);
  await page.setInputFiles("[data-files]", testVideo(folder, name, 3));
  const link = page.locator("[data-uploads] li").filter({ hasText: name }).locator("a[data-short]");
  await link.waitFor({ timeout: 60_000 });
  const id = (await link.getAttribute("href")).split("/").at(-2);
  await finished(page, id);
  await link.tap();
  await page.waitForURL(/\/short$/);

  assert.equal(await page.inputValue("[name=title]"), "黄海渔民编网技艺");
  assert.deepEqual(await checked(page, "topics"), ["culture-arts"]);
  assert.deepEqual(await checked(page, "audiences"), ["farmers"]);
  assert.deepEqual(await checked(page, "local"), ["yes"]);
  assert.ok((await page.locator(".guess").count()) >= 4, "guesses are marked");
  assert.equal(await page.locator(".short-questions > li").count(), 5);
  const before = await (await page.request.get(`${base}/api/resources/${id}`)).json();
  assert.deepEqual(before.topics, [], "nothing is kept that nobody confirmed");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
  for (const box of await page.locator(".short-form .choice:visible, .short-form .button:visible").all()) {
    const { height } = await box.boundingBox();
    assert.ok(height >= 44, `a finger needs 44 pixels, not ${height}`);
  }

  // Without an answer to the question of rights it comes back, and what was typed is still there.
  await page.fill("[name=title]", "黄海渔民怎样编网");
  await page.tap("button[value=confirm]");
  await page.locator("#refused-evidence").waitFor();
  assert.equal(await page.inputValue("[name=title]"), "黄海渔民怎样编网");
  await page.locator(".plain-choices .choice").first().tap();
  await page.fill("[name='local.origin']", "岚山区官草汪");
  await page.tap("button[value=confirm]");
  await page.locator(".notice.good").waitFor();
  const kept = await (await page.request.get(`${base}/api/resources/${id}`)).json();
  assert.equal(kept.title, "黄海渔民怎样编网");
  assert.equal(kept.stage, "published");
  assert.deepEqual([kept.topics, kept.audiences, kept.evidence], [["culture-arts"], ["farmers"], "own"]);
  assert.equal(kept.local.origin, "岚山区官草汪");
  assert.equal(await page.locator(".guess").count(), 0, "confirmed, not guessed");

  await page.goto(`${base}/resources/${id}`);
  assert.match(await page.locator(".local-mark").innerText(), /地方特色[\s\S]*岚山区官草汪/);
  assert.deepEqual(heard, []);
  await page.request.delete(`${base}/api/resources/${id}`, { headers: { Origin: base } });
  await context.close();
});

test("the full form works without scripts and by keys, and leads to the short one and back", async () => {
  const signed = await signedIn(chromium);
  await signed.page.setInputFiles("[data-files]", testVideo(folder, "无脚本.mp4", 3));
  const link = signed.page.locator("[data-uploads] li").filter({ hasText: "无脚本.mp4" }).locator("a.text-button");
  await link.waitFor({ timeout: 60_000 });
  const id = (await link.getAttribute("href")).split("/").at(-1);
  await finished(signed.page, id);
  const state = await signed.context.storageState();
  await signed.context.close();
  const context = await chromium.newContext({ locale: "zh-CN", javaScriptEnabled: false, storageState: state });
  const page = await context.newPage();
  await page.goto(`${base}/studio/resources/${id}`);
  await page.locator("details.group summary", { hasText: "内容" }).focus();
  await page.keyboard.press("Enter");
  await page.fill("[name=keywords]", "织网、渔具");
  await page.locator("details.group summary", { hasText: "谁做的" }).click();
  await page.fill("[name=made]", "去年");
  await page.click("button[value=save]");
  const refused = page.locator("#refused-made");
  await refused.waitFor();
  assert.equal(await page.getAttribute("[name=made]", "aria-describedby"), "refused-made");
  assert.equal(await page.inputValue("[name=keywords]"), "织网、渔具");
  await page.fill("[name=made]", "2019");
  await page.click("button[value=save]");
  await page.locator(".notice.good").waitFor();
  const kept = await (await page.request.get(`${base}/api/resources/${id}`)).json();
  assert.deepEqual([kept.keywords, kept.made], [["织网", "渔具"], "2019"]);
  await page.click(`a[href="/studio/resources/${id}/short"]`);
  await page.click(`.short-more a`);
  await page.waitForURL(`${base}/studio/resources/${id}`);
  await page.request.delete(`${base}/api/resources/${id}`, { headers: { Origin: base } });
  await context.close();
});
