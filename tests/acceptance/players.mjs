// Plays resources in Chromium with players that nobody here wrote, from another origin:
// node players.mjs URL PLAYERS CHROMIUM [ID...]   (PLAYERS: folder with node_modules of hls.js, shaka-player, dashjs)
// Without ids: every published video and audio. Each is loaded, played from the start, sought to the middle
// and near the end, and must reach the end; prints a line each, and ends with 1 when one failed. ONLY="hls.js,dash.js"
// in the environment picks players.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, folder, executablePath, ...wanted] = process.argv.slice(2);
const require = createRequire(join(import.meta.dirname, "../../web/package.json"));
const { chromium } = require("playwright-core");

const scripts = {
  "hls.js": ["hls.js/dist/hls.min.js", "master.m3u8"],
  "shaka HLS": ["shaka-player/dist/shaka-player.compiled.js", "master.m3u8"],
  "shaka DASH": ["shaka-player/dist/shaka-player.compiled.js", "manifest.mpd"],
  "dash.js": ["dashjs/dist/modern/umd/dash.all.min.js", "manifest.mpd"],
  "hls.js TS": ["hls.js/dist/hls.min.js", "ts.m3u8"],
  "hls.js audio": ["hls.js/dist/hls.min.js", "audio.m3u8"],
  // The browser's own player, and the best picture or sound as one file.
  "video element": [null, null],
};

const only = process.env.ONLY?.split(",") ?? Object.keys(scripts);

const web = createServer(async (request, answer) => {
  const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
  if (path === "/") return answer.setHeader("content-type", "text/html").end("<!doctype html><video id=v muted width=640></video>");
  try {
    answer.setHeader("content-type", "text/javascript").end(await readFile(join(folder, "node_modules", path)));
  } catch {
    answer.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await new Promise((done) => web.once("listening", done));
const origin = `http://127.0.0.1:${web.address().port}`;

async function list() {
  const all = [];
  for (const kind of ["video", "audio"]) {
    for (let page = 1; ; page++) {
      const answer = await (await fetch(`${url}/api/resources?kind=${kind}&stage=published&per_page=100&page=${page}`)).json();
      const items = answer.items ?? answer.resources ?? answer;
      all.push(...items);
      if (items.length < 100) break;
    }
  }
  return all;
}

/** In the page: plays `src` and returns what happened. */
async function play([name, src, seconds]) {
  const video = document.getElementById("v");
  const errors = [];
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const until = async (what, test, ms = 15000) => {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      if (test()) return true;
      await wait(20);
    }
    errors.push(`${what} (at ${video.currentTime.toFixed(2)} of ${video.duration}, ready ${video.readyState})`);
    return false;
  };
  if (name === "video element") {
    video.addEventListener("error", () => errors.push(`${video.error.code} ${video.error.message}`));
    video.src = src;
  } else if (name.startsWith("hls.js")) {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, e) => { if (e.fatal || !/buffer|Stall|Nudge/.test(e.details)) errors.push(`${e.details} ${e.error ?? ""}`); });
    hls.loadSource(src);
    hls.attachMedia(video);
  } else if (name.startsWith("shaka")) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener("error", (e) => errors.push(`shaka ${e.detail.code} ${e.detail.data}`));
    try { await player.load(src); } catch (e) { errors.push(`shaka load ${e.code} ${e.data}`); return { errors }; }
  } else {
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({ debug: { logLevel: 0 } });
    player.on("error", (e) => errors.push(`dash ${e.error?.code} ${e.error?.message}`));
    player.initialize(video, src, false);
  }
  video.muted = true;
  if (!(await until("no metadata", () => video.readyState >= 1))) return { errors };
  const duration = video.duration;
  await video.play().catch((e) => errors.push(`play ${e.message}`));
  const first = Math.min(1, seconds / 3);
  await until("does not play", () => video.currentTime >= first || video.ended);
  // In less than a second there is nowhere to seek to.
  for (const part of seconds < 1 ? [] : [0.5, 1]) {
    const target = part === 1 ? Math.max(0, duration - 1.5) : duration * part;
    video.currentTime = target;
    await until(`no seek to ${target.toFixed(1)}`, () => !video.seeking && (video.currentTime > target + 0.05 || video.ended));
    if (video.paused && !video.ended) await video.play().catch(() => {});
  }
  await until("does not end", () => video.ended);
  const quality = video.getVideoPlaybackQuality?.();
  return { errors, duration, ended: video.currentTime, width: video.videoWidth, height: video.videoHeight, dropped: quality?.droppedVideoFrames };
}

let failed = 0;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"] });
for (const resource of (await list()).filter(({ id }) => !wanted.length || wanted.includes(id))) {
  const seconds = resource.duration_ms / 1000;
  for (const [name, [script, manifest]] of Object.entries(scripts).filter(([name]) => only.includes(name))) {
    const { downloads, audio } = resource.links;
    if (manifest === "audio.m3u8" && !audio) continue;
    const address = manifest ? `/media/${resource.id}/${manifest}` : downloads[0]?.href;
    if (!address) continue;
    const page = await browser.newPage();
    let result;
    try {
      await page.goto(origin);
      if (script) await page.addScriptTag({ url: `${origin}/${script}` });
      result = await Promise.race([
        page.evaluate(play, [name, `${url}${address}`, seconds]),
        new Promise((_, no) => setTimeout(() => no(new Error("timeout")), 90000)),
      ]);
    } catch (error) {
      result = { errors: [error.message.split("\n")[0]] };
    }
    await page.close().catch(() => {});
    const off = Math.abs((result.duration ?? 0) - seconds);
    if (result.duration !== undefined && off > 0.1) result.errors.push(`duration ${result.duration} instead of ${seconds}`);
    if (result.errors.length) failed++;
    console.log(`${result.errors.length ? "FAILED" : "ok    "} ${name.padEnd(13)} ${resource.title} ${seconds} s ${result.width ?? 0}x${result.height ?? 0} ${result.errors.slice(0, 3).join("; ")}`);
  }
}
await browser.close();
web.close();
console.log(`${failed} failed`);
process.exit(failed ? 1 : 0);
