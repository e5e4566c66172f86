// What the browser tests share: the browser, the address of the server under test, signing in.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Address of a running server with the samples in its library `main`; no slash at the end. */
export const base = (process.env.DUOKU_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const password = process.env.DUOKU_ADMIN_PASSWORD ?? "";

/** A headless Chromium; `DUOKU_CHROMIUM` names another one than Debian's. */
export function browser() {
  return chromium.launch({
    executablePath: process.env.DUOKU_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    ],
  });
}

/** Signs `page` in as the administrator by the form, as a person would. */
export async function signIn(page) {
  await page.goto(`${base}/login?next=/studio`);
  await page.fill("#name", "admin");
  await page.fill("#password", password);
  await page.click("form[action='/login'] button[type=submit]");
  await page.waitForURL(`${base}/studio*`);
}

/** Notes what must not happen on any page: script errors, refusals by the policy, calls to other hosts. */
export function complaints(page) {
  const list = [];
  page.on("pageerror", (error) => list.push(`script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text())) list.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !/^(data|blob|about):/.test(request.url())) list.push(`foreign: ${request.url()}`);
  });
  return list;
}

/** Public resources of a kind, as the API lists them, the newest first. */
export async function resources(kind) {
  const answer = await fetch(`${base}/api/search?q=&kind=${kind}&per_page=20`);
  const { hits } = await answer.json();
  return hits.map(({ resource }) => (typeof resource === "string" ? resource : resource.id));
}

/** A page of an administrator who has signed in, with what must not happen noted in `heard`. */
export async function signedIn(chromium, options = {}) {
  const context = await chromium.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const heard = complaints(page);
  await signIn(page);
  return { context, page, heard };
}

/** Makes `name` in `folder`: a test pattern and a tone; `codec` are FFmpeg's options for the picture. */
export function testVideo(folder, name, seconds = 12, codec = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50"]) {
  const file = join(folder, name);
  execFileSync("ffmpeg", [
    "-v", "error", "-f", "lavfi", "-i", `testsrc2=size=640x360:rate=25:duration=${seconds}`,
    "-f", "lavfi", "-i", `sine=frequency=440:duration=${seconds}`, ...codec, "-pix_fmt", "yuv420p", "-c:a", "aac", file,
  ]);
  return file;
}

/** Uploads `file` in the studio; answers the resource's id as soon as the page knows it. */
export async function upload(page, file, name) {
  await page.goto(`${base}/studio`);
  await page.setInputFiles("[data-files]", file);
  const link = page.locator("[data-uploads] li").filter({ hasText: name }).locator("a.text-button");
  await link.waitFor({ timeout: 60_000 });
  return (await link.getAttribute("href")).split("/").at(-1);
}

/** Waits until the resource is through and answers it as the API tells it. */
export async function finished(page, id, timeout_ms = 240_000) {
  for (const end = Date.now() + timeout_ms; Date.now() < end; ) {
    const answer = await page.request.get(`${base}/api/resources/${id}`);
    const resource = await answer.json();
    if (!["draft", "processing"].includes(resource.stage)) return resource;
    await new Promise((wake) => setTimeout(wake, 500));
  }
  throw new Error(`${id} is not through after ${timeout_ms} ms`);
}
