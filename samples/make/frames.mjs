// Renders a page that draws itself for any time, frame by frame, into FFmpeg's standard input.
//
// node frames.mjs PAGE.html WIDTH HEIGHT FPS SECONDS > frames.mjpeg
// node frames.mjs PAGE.html WIDTH HEIGHT stills OUT-%02d.png   (the page's own list of times)
//
// The page defines window.draw(seconds), and window.stills for the second form.
// Needs `make web` (playwright-core is among the web tests' packages) and Debian's chromium.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { once } from "node:events";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [page_path, width, height, mode, last] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});
const page = await browser.newPage({ viewport: { width: +width, height: +height } });
page.on("pageerror", (error) => console.error(error));
await page.goto(pathToFileURL(resolve(page_path)).href);
await page.evaluate(() => document.fonts.ready);

if (mode === "stills") {
  const stills = await page.evaluate(() => window.stills);
  for (const [n, seconds] of stills.entries()) {
    await page.evaluate((t) => window.draw(t), seconds);
    const path = last.replace("%02d", String(n + 1).padStart(2, "0"));
    await page.screenshot({ path, omitBackground: true });
  }
} else {
  const frames = Math.round(+last * +mode);
  for (let n = 0; n < frames; n++) {
    await page.evaluate((t) => window.draw(t), n / +mode);
    const image = await page.screenshot({ type: "jpeg", quality: 95 });
    if (!process.stdout.write(image)) await once(process.stdout, "drain");
  }
}
await browser.close();
