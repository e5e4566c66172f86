// Compares when the picture of slides changes: in the source, and in every rendition as players show it.
// node pages.mjs URL PLAYERS CHROMIUM ID SOURCE FFMPEG...   (PLAYERS: folder with node_modules of hls.js)
// Each change must come within a frame of the source's, by every ffmpeg named and by hls.js in Chromium, and none may
// be missing or added. Prints a line each, and ends with 1 when one was off. PLAYLISTS in the environment, a regular
// expression, picks some. hls.js plays in real time: a busy machine drops frames.
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, folder, executablePath, id, source, ...ffmpegs] = process.argv.slice(2);
const require = createRequire(join(import.meta.dirname, "../../web/package.json"));
const { chromium } = require("playwright-core");

const [WIDTH, HEIGHT] = [64, 36];
/** Mean difference of thumbnails, of 255, from which a picture is another one; coding makes less. */
const OTHER = 3;

/** Times, in seconds, at which [time, thumbnail] becomes another picture. */
function changes(frames) {
  const times = [];
  let before;
  for (const [time, picture] of frames) {
    const off = before ? picture.reduce((sum, value, i) => sum + Math.abs(value - before[i]), 0) / picture.length : 0;
    if (off > OTHER) times.push(time);
    if (!before || off > OTHER) before = picture;
  }
  return times;
}

function byFfmpeg(ffmpeg, input) {
  const filter = `scale=${WIDTH}:${HEIGHT}:flags=area,format=gray,showinfo`;
  const command = ["-nostdin", "-hide_banner", "-i", input, "-map", "0:v:0", "-vf", filter];
  const run = spawnSync(ffmpeg, [...command, "-fps_mode", "passthrough", "-f", "rawvideo", "-"], { maxBuffer: 1 << 30 });
  const times = [...run.stderr.toString().matchAll(/ pts_time:\s*([\d.]+)/g)].map((match) => Number(match[1]));
  const size = WIDTH * HEIGHT;
  return times.map((time, i) => [time, [...run.stdout.subarray(i * size, (i + 1) * size)]]);
}

/** In the page: every frame that hls.js has shown of the rendition. */
async function byHls([src, size, rate]) {
  const video = document.getElementById("v");
  const canvas = Object.assign(document.createElement("canvas"), { width: size[0], height: size[1] });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const frames = [];
  const look = (_, { mediaTime }) => {
    context.drawImage(video, 0, 0, ...size);
    const rgba = context.getImageData(0, 0, ...size).data;
    frames.push([mediaTime, Array.from({ length: size[0] * size[1] }, (_, i) => rgba[i * 4 + 1])]);
    video.requestVideoFrameCallback(look);
  };
  const hls = new Hls();
  hls.loadSource(src);
  hls.attachMedia(video);
  await new Promise((done) => video.addEventListener("canplay", done, { once: true }));
  video.requestVideoFrameCallback(look);
  video.playbackRate = rate;
  await video.play();
  await new Promise((done) => video.addEventListener("ended", done, { once: true }));
  return frames;
}

const web = createServer(async (request, answer) => {
  const path = new URL(request.url, "http://x").pathname;
  if (path === "/") return answer.setHeader("content-type", "text/html").end("<!doctype html><video id=v muted width=640 crossorigin=anonymous></video>");
  answer.setHeader("content-type", "text/javascript").end(await readFile(join(folder, "node_modules/hls.js/dist/hls.min.js")));
}).listen(0, "127.0.0.1");
await new Promise((done) => web.once("listening", done));
const origin = `http://127.0.0.1:${web.address().port}`;

const original = byFfmpeg(ffmpegs[0], source);
const wanted = changes(original);
const frame = (original.at(-1)[0] - original[0][0]) / (original.length - 1);
console.log(`${wanted.length} changes in the source, a frame is ${(frame * 1000).toFixed(1)} ms`);
let failed = 0;

function compare(what, frames) {
  const found = changes(frames);
  const off = found.length === wanted.length ? Math.max(...wanted.map((time, i) => Math.abs(time - found[i]))) : Infinity;
  const good = off <= frame * 1.01;
  failed += good ? 0 : 1;
  const missing = wanted.filter((time) => !found.some((other) => Math.abs(time - other) <= frame * 1.01));
  console.log(`${good ? "ok    " : "FAILED"} ${what}: ${found.length} changes, ${(off * 1000).toFixed(1)} ms off at most ${missing.slice(0, 5)}`);
}

const base = `${url}/media/${id}/`;
const master = await (await fetch(`${base}master.m3u8`)).text();
const only = new RegExp(process.env.PLAYLISTS ?? "");
const playlists = master.split("\n").filter((line) => line && !line.startsWith("#") && only.test(line));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"] });
for (const playlist of playlists) {
  for (const ffmpeg of ffmpegs) compare(`${ffmpeg} ${playlist}`, byFfmpeg(ffmpeg, base + playlist));
  const page = await browser.newPage();
  await page.goto(origin);
  await page.addScriptTag({ url: `${origin}/hls.js` });
  compare(`hls.js ${playlist}`, await page.evaluate(byHls, [base + playlist, [WIDTH, HEIGHT], 1]));
  await page.close();
}
await browser.close();
web.close();
console.log(`${failed} failed`);
process.exit(failed ? 1 : 0);
