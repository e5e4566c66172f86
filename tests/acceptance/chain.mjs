// The walk of a net of libraries: 67 libraries and 2,000 people by command, a village author's upload from a phone, the
// township's and the county's review, the city's search, the withdrawal, everywhere.
// node chain.mjs DUOKU VIDEO [PICTURES]   (PICTURES: folder for screenshots)
// Prints what each step took, and ends with 1 when something was not as it should be. Needs FFmpeg's ffprobe.
import { spawn, spawnSync } from "node:child_process";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [duoku, video, pictures] = process.argv.slice(2).map((path) => resolve(path));
const root = join(import.meta.dirname, "../..");
const { chromium } = createRequire(join(root, "web/package.json"))("playwright-core");

const [PORT, PASSWORD, PEOPLE] = [18741, "huanghai-yumin-2026", 2000];
const [VILLAGE, TOWNSHIP, COUNTY, LIBRARY] = ["371102001001", "371102001", "371102", "c371102001001"];
const TITLE = "日升社区的剪纸课";
const base = `http://127.0.0.1:${PORT}`;
const data = mkdtempSync(join(tmpdir(), "duoku-chain-"));
const env = { ...process.env, DUOKU_DATA: data, DUOKU_LISTEN: `127.0.0.1:${PORT}`, DUOKU_ADMIN_PASSWORD: PASSWORD };

function run(...words) {
  const done = spawnSync(duoku, words, { env, encoding: "utf8" });
  assert.equal(done.status, 0, `duoku ${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

function timed(what, work) {
  const begun = performance.now();
  const result = work();
  console.log(`${what}: ${((performance.now() - begun) / 1000).toFixed(2)} s`);
  return result;
}

/** How long it takes until `look` answers true, in milliseconds; it fails after `most_ms`. */
async function until(what, most_ms, begun, look) {
  while (!(await look())) {
    assert.ok(performance.now() - begun < most_ms, `${what}: not within ${most_ms} ms`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
  console.log(`${what}: ${Math.round(performance.now() - begun)} ms`);
}

function people() {
  const rows = ["name,display_name,phone,email,organisation,role,library"];
  for (let number = 0; number < PEOPLE; number++) {
    rows.push(`renyuan${number},居民${number},,,${VILLAGE},learner,${number % 2 ? LIBRARY : ""}`);
  }
  writeFileSync(join(data, "people.csv"), rows.join("\n"));
  run("user", "add", "--from", join(data, "people.csv"), "--links", join(data, "links.csv"));
  run("user", "add", "lin", "--display-name", "林小渔", "--password", PASSWORD);
  run("user", "grant", "lin", "--library", LIBRARY, "--role", "author");
  for (const [name, code] of [["zhen", TOWNSHIP], ["xian", COUNTY]]) {
    run("user", "add", name, "--password", PASSWORD);
    run("user", "grant", name, "--organisation", code, "--role", "reviewer");
  }
}

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };

class Visitor {
  static async of(browser, name, size) {
    const visitor = new Visitor();
    const context = await browser.newContext({ locale: "zh-CN", viewport: SIZES[size], isMobile: size === "phone", hasTouch: size === "phone" });
    visitor.page = await context.newPage();
    visitor.page.on("dialog", (dialog) => dialog.accept());
    visitor.label = `${name}-${size}`;
    if (name !== "nobody") {
      await visitor.page.goto(`${base}/login`);
      await visitor.page.fill("#name", name);
      await visitor.page.fill("#password", PASSWORD);
      await visitor.page.click("form[action='/login'] button[type=submit]");
      await visitor.page.waitForURL((url) => url.pathname !== "/login");
    }
    return visitor;
  }

  async open(path) {
    const answer = await this.page.goto(base + path);
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${path} is ${wide} px too wide for ${this.label}`);
    return answer.status();
  }

  async picture(name) {
    if (pictures) await this.page.screenshot({ path: join(pictures, `${name}-${this.label}.png`), fullPage: true });
  }
}

async function json(path, options = {}) {
  const answer = await fetch(base + path, options);
  return { status: answer.status, body: await answer.json().catch(() => null) };
}

async function text(path) {
  const answer = await fetch(base + path, { redirect: "manual" });
  return { status: answer.status, body: await answer.text() };
}

const found = async (id) => (await json(`/api/search?q=${encodeURIComponent(TITLE)}`)).body.hits.some((hit) => hit.resource === id);

async function record(id) {
  const { body } = await text("/oai?verb=Identify");
  const sample = /<sampleIdentifier>(oai:[^:]+:)/.exec(body)[1];
  return (await text(`/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=${encodeURIComponent(sample + id)}`)).body;
}

async function upload(author) {
  const { page } = author;
  assert.equal(await author.open("/studio"), 200);
  await author.picture("studio");
  await page.setInputFiles("[data-files]", video);
  const link = page.locator("[data-uploads] li a");
  await link.waitFor({ timeout: 60_000 });
  const id = (await link.getAttribute("href")).split("/").at(-1);
  await until("ready", 120_000, performance.now(), async () => {
    const answer = await page.request.get(`${base}/api/resources/${id}`);
    return (await answer.json()).stage === "ready";
  });
  await author.open(`/studio/resources/${id}`);
  await page.fill("[name=title]", TITLE);
  await author.picture("edit");
  await page.click("button[name=action][value=save]");
  await page.waitForLoadState("load");
  await page.click("button[name=action][value=publish]");
  await page.waitForLoadState("load");
  await author.picture("handed-in");
  return id;
}

async function accept(reviewer, id, name) {
  assert.equal(await reviewer.open("/review"), 200);
  assert.ok((await reviewer.page.content()).includes(TITLE), `${name} has it in the queue`);
  await reviewer.picture("queue");
  await reviewer.open(`/review/${id}`);
  await reviewer.picture("review");
  const begun = performance.now();
  await reviewer.page.click("button[name=action][value=accept]");
  await reviewer.page.waitForLoadState("load");
  return begun;
}

async function walk(browser) {
  const author = await Visitor.of(browser, "lin", "phone");
  const id = await upload(author);
  const html = `/resources/${id}`;
  assert.equal((await text(html)).status, 404, "nobody sees what is in review");
  await accept(await Visitor.of(browser, "zhen", "phone"), id, "the township");
  const county = await Visitor.of(browser, "xian", "desktop");
  const accepted = await accept(county, id, "the county");
  await until("in the city's search after the county's click", 2000, accepted, () => found(id));

  const visitor = await Visitor.of(browser, "nobody", "desktop");
  await visitor.open(`/search?q=${encodeURIComponent(TITLE)}`);
  await visitor.picture("search");
  await visitor.open(html);
  await visitor.page.locator("video").waitFor();
  await visitor.picture("resource");
  const stream = `${base}/media/${id}/master.m3u8`;
  const probe = spawnSync("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", stream], { encoding: "utf8" });
  assert.ok(Number(probe.stdout) > 0, `ffprobe: ${probe.stdout}${probe.stderr}`);
  const lists = { feed: `/feed?library=${LIBRARY}`, library: `/libraries/${LIBRARY}`, front: "/" };
  for (const [name, path] of Object.entries(lists)) assert.ok((await text(path)).body.includes(TITLE), `${name} tells of it`);
  assert.ok((await record(id)).includes(TITLE), "OAI-PMH tells of it");

  await county.open(`/review/${id}`);
  await county.page.locator("#withdraw-reason").evaluate((select) => select.closest("details")?.setAttribute("open", ""));
  await county.picture("withdraw");
  await county.page.locator("#withdraw-reason").evaluate((select) => (select.selectedIndex = select.options.length > 1 ? 1 : 0));
  const begun = performance.now();
  await county.page.click("button[name=action][value=withdraw]");
  const gone = async (path) => (await text(path)).status === 404;
  await until("gone from its page", 10_000, begun, () => gone(html));
  await until("gone from the stream", 10_000, begun, () => gone(`/media/${id}/master.m3u8`));
  await until("gone from search", 10_000, begun, async () => !(await found(id)));
  for (const [name, path] of Object.entries(lists)) {
    await until(`gone from ${name}`, 10_000, begun, async () => !(await text(path)).body.includes(TITLE));
  }
  await until("deleted in OAI-PMH", 10_000, begun, async () => /status="deleted"/.test(await record(id)));
  await visitor.open(html);
  await visitor.picture("gone");
}

let server;
let browser;
try {
  timed("organisations", () => run("organisation", "import", join(root, "docs/examples/divisions-371100.csv")));
  timed("67 libraries", () => run("library", "create", "--from", join(root, "docs/examples/libraries-371100.csv")));
  timed(`${PEOPLE} people`, people);
  server = spawn(duoku, ["serve"], { env, stdio: "ignore" });
  await until("serving", 20_000, performance.now(), async () => (await text("/healthz").catch(() => ({}))).status === 200);
  const login = await json("/api/session", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: "admin", password: PASSWORD }) });
  assert.equal(login.status, 200);
  const token = run("token", "create", "--user", "admin").trim().split(/\s+/).at(-1);
  const steps = [{ name: "镇审", level: "township", role: "reviewer", days: 3 }, { name: "区审", level: "district", days: 5 }];
  const chain = await json(`/api/libraries/${LIBRARY}/review`, {
    method: "PUT", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify({ steps }),
  });
  assert.equal(chain.status, 200, JSON.stringify(chain.body));
  browser = await chromium.launch({ executablePath: process.env.DUOKU_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  await walk(browser);
  run("audit", "verify");
  console.log("everything as it should be");
} finally {
  await browser?.close();
  server?.kill();
  rmSync(data, { recursive: true, force: true });
}
