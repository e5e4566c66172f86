// Courses: lessons put in order by keys, by dragging, and without scripts; the player goes on with the next.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, browser, complaints, resources, signedIn } from "./site.mjs";

let chromium;

before(async () => (chromium = await browser()));
after(async () => chromium?.close());

/** Makes a published course of the first samples, a video first; answers its id and its lessons' titles. */
async function make(page) {
  const [video, audio, document] = await Promise.all(["video", "audio", "document"].map(resources));
  const call = async (method, path, data) => {
    const answer = await page.request.fetch(base + path, { method, data, headers: { Origin: base } });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()}`);
    return answer.json();
  };
  const { id } = await call("POST", "/api/courses", { library: "main", title: "试验课程" });
  const lessons = [video[0], audio[0] ?? video[0], document[0]].map((resource) => ({ resource }));
  const { sections } = await call("PUT", `/api/courses/${id}/lessons`, { sections: [{ lessons }] });
  await call("POST", `/api/courses/${id}/publish`);
  return { id, titles: sections[0].lessons.map(({ title }) => title) };
}

const order = (page) => page.$$eval(".edit-lesson", (rows) => rows.map((row) => row.dataset.title));
const remove = (page, id) => page.request.delete(`${base}/api/courses/${id}`, { headers: { Origin: base } });

test("lessons are put in order by keys and by dragging, and the focus stays", async () => {
  const { context, page, heard } = await signedIn(chromium, { viewport: { width: 1280, height: 1400 } });
  const { id, titles: [a, b, c] } = await make(page);
  await page.goto(`${base}/studio/courses/${id}`);
  const lesson = await page.getAttribute(".edit-lesson", "data-lesson");
  await page.focus(`#down-${lesson}`);
  await page.keyboard.press("Enter");
  await page.waitForFunction((lesson) => document.querySelectorAll(".edit-lesson")[1].dataset.lesson === lesson, lesson);
  assert.deepEqual(await order(page), [b, a, c]);
  await page.waitForFunction((id) => document.activeElement?.id === id, `down-${lesson}`);
  assert.match(await page.textContent("[data-contents-says]"), /第 2 课/);
  const from = await page.locator(".edit-lesson [data-drag]").last().boundingBox();
  const to = await page.locator(".edit-lesson").first().boundingBox();
  await page.mouse.move(from.x + 10, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x + 20, to.y + 4, { steps: 12 });
  await page.mouse.up();
  await page.waitForFunction((title) => document.querySelector(".edit-lesson .lesson-number").textContent === "1" && document.querySelector(".edit-lesson").dataset.title === title, c);
  await page.reload();
  assert.deepEqual(await order(page), [c, b, a]);
  assert.deepEqual(heard, []);
  await remove(page, id);
  await context.close();
});

test("a course is edited on a phone without scripts", async () => {
  const { context, page } = await signedIn(chromium);
  const { id, titles: [a, b, c] } = await make(page);
  const plain = await chromium.newContext({
    javaScriptEnabled: false, locale: "zh-CN", viewport: { width: 390, height: 844 }, storageState: await context.storageState(),
  });
  const phone = await plain.newPage();
  await phone.goto(`${base}/studio/courses/${id}`);
  await phone.locator(".edit-lesson .arrow.up").last().click();
  await phone.waitForURL(/saved=1/);
  assert.deepEqual(await order(phone), [a, c, b]);
  await phone.locator(".picked-tools button").first().click();
  await phone.waitForURL(/#picker/);
  assert.equal((await order(phone)).length, 4);
  await remove(page, id);
  await plain.close();
  await context.close();
});

test("the next lesson follows, and the browser knows where it was", async () => {
  const { context, page } = await signedIn(chromium);
  const { id, titles } = await make(page);
  const visitor = await chromium.newContext({ locale: "zh-CN", viewport: { width: 390, height: 844 } });
  const phone = await visitor.newPage();
  const heard = complaints(phone);
  await phone.goto(`${base}/courses/${id}/lessons/1`);
  await phone.locator(".shaka-controls-container").waitFor({ timeout: 20_000 });
  await phone.evaluate(async () => {
    const media = document.querySelector("video");
    media.muted = true;
    await media.play();
    media.currentTime = media.duration - 0.5;
  });
  await phone.locator("[data-coming]").waitFor({ state: "visible", timeout: 20_000 });
  assert.match(await phone.textContent("[data-coming]"), new RegExp(titles[1].slice(0, 6)));
  await phone.waitForURL(/\/lessons\/2\?play=1/, { timeout: 20_000 });
  await phone.goto(`${base}/courses/${id}`);
  assert.match(await phone.textContent("[data-start-word]"), /第 2 课/);
  assert.match(await phone.getAttribute("[data-start]", "href"), /\/lessons\/2$/);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than a phone");
  assert.deepEqual(heard, []);
  await remove(page, id);
  await visitor.close();
  await context.close();
});
