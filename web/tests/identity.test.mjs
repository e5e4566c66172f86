// Logging in with the button of a provider that nobody here wrote (npm's oidc-provider).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { base, browser } from "./site.mjs";

// scripts/test.sh names the port that the server's settings have.
const port = process.env.DUOKU_TEST_PROVIDER_PORT;
const skip = port ? false : "DUOKU_TEST_PROVIDER_PORT names no port: the server under test has no provider";
const program = fileURLToPath(new URL("../../tests/acceptance/oidc_provider.mjs", import.meta.url));

let chromium;
let folder;
let provider;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "duoku-web-"));
  const accounts = join(folder, "accounts.json");
  writeFileSync(accounts, JSON.stringify({ xue: { preferred_username: "xue", name: "林雪" } }));
  provider = spawn("node", [program, port, base, "city", accounts], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((ready, failed) => {
    provider.stdout.once("data", ready);
    provider.once("exit", (code) => failed(new Error(`the provider ended with ${code}`)));
  });
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  provider?.kill();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Fills in the provider's own pages. */
async function logInThere(page, name) {
  await page.waitForURL(`http://127.0.0.1:${port}/**`);
  await page.fill("[name=login]", name);
  await page.fill("[name=password]", "any");
  await page.click("button[type=submit]");
  await page.click("button[type=submit]");
}

for (const scripts of [true, false]) {
  test(`the button leads to the provider and back, and out again; scripts ${scripts ? "on" : "off"}`, { skip, timeout: 60_000 }, async () => {
    const context = await chromium.newContext({ locale: "zh-CN", javaScriptEnabled: scripts });
    const page = await context.newPage();
    const refused = [];
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text()) && message.location().url.startsWith(base)) refused.push(message.text());
    });
    await page.goto(`${base}/login?next=/libraries`);
    await page.click(".elsewhere a");
    await logInThere(page, "xue");
    await page.waitForURL(`${base}/libraries`);
    assert.equal((await page.locator(".account-name").textContent()).trim(), "林雪");

    await page.goto(`${base}/me`);
    const linked = page.locator("section.card").filter({ has: page.locator("h2", { hasText: "关联的账号" }) });
    assert.match(await linked.textContent(), /城市账号 · xue/);
    await linked.locator("button").filter({ hasText: "取消关联" }).click();
    assert.match(await page.locator(".notice.bad").textContent(), /唯一方式/);

    await page.click(".menu summary");
    await page.click("form[action='/logout'] button");
    await page.waitForURL(`${base}/logged-out/city`);
    assert.equal((await context.request.get(`${base}/api/session`)).status(), 401);
    await page.click(".elsewhere a:first-of-type");
    await page.waitForURL(`http://127.0.0.1:${port}/session/end*`);
    await page.click("button[value=yes]");
    await page.waitForURL(`${base}/*`);
    assert.deepEqual(refused, []);
    await context.close();
  });
}
