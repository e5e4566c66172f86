// Plays a video in Chromium over a line that becomes slow: it must go down, and must not stand still for longer than 2 s.
// node slow_line.mjs DUOKU PLAYERS CHROMIUM   (PLAYERS: folder with node_modules of hls.js and shaka-player)
// Starts a server with a clip of 90 s, and a line with a delay of 40 ms and few bytes a second between it and the browser.
// LINE in the environment says how many: "0:8000 12:600 42:3000" (as it is without) is 8 Mbit/s, 0.6 from the 12th second after the
// first picture on, 3 from the 42nd. ONLY="hls.js,own page" picks players; "own page" is the page of the resource, "own HLS"
// the same settings of shaka-player without the page. Prints a row each, and ends with 1 when one failed. With TRACE=1 each
// request, those that were given up, and the seconds that the player had ahead are told too.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [duoku, folder, executablePath] = process.argv.slice(2);
const require = createRequire(join(import.meta.dirname, "../../web/package.json"));
const { chromium } = require("playwright-core");

const SECONDS = 90;
const DELAY_MS = 40;
/** What a packet of Ethernet carries. */
const PACKET = 1448;
/** Bytes of a connection that wait before the line. */
const QUEUE = 64 << 10;
/** Longest stall in seconds, after the first picture. */
const MOST = 2;
/** Milliseconds for which page and line may be kept from running: beyond, the machine is too busy to say anything of a player. */
const MOST_HALT = 700;

const steps = (process.env.LINE ?? "0:8000 12:600 42:3000").split(" ").map((step) => step.split(":").map(Number));

// The settings of web/src/player/engine.ts.
const retry = { maxAttempts: 6, baseDelay: 700, backoffFactor: 1.8, fuzzFactor: 0.4, timeout: 30_000 };
const own = {
  streaming: { bufferingGoal: 30, rebufferingGoal: 1, bufferBehind: 60, retryParameters: retry },
  manifest: { retryParameters: retry },
  abr: { defaultBandwidthEstimate: 1_500_000 },
};

const hls = "hls.js/dist/hls.min.js";
const shaka = "shaka-player/dist/shaka-player.compiled.js";
const players = {
  "hls.js": [hls, "master.m3u8"],
  "shaka HLS": [shaka, "master.m3u8"],
  "shaka DASH": [shaka, "manifest.mpd"],
  "own HLS": [shaka, "master.m3u8", own],
  "own DASH": [shaka, "manifest.mpd", own],
  "own page": [],
};
const only = process.env.ONLY?.split(",") ?? Object.keys(players);

/** A line to `port` of this machine. All connections share it, a packet each in turn. */
class Line {
  bytes = 0;
  /** [milliseconds, path] of each request; a connection that was closed before all of an answer came is "given up". */
  asked = [];
  #wires = [];
  #budget = 0;
  #began = null;
  /** The longest time, in milliseconds, in which this program did not run. */
  halt = 0;

  constructor(port) {
    this.server = createTcpServer((client) => this.#open(client, port));
    this.timer = setInterval(() => this.#send(), 4);
    this.last = performance.now();
  }

  async listen() {
    this.server.listen(0, "127.0.0.1");
    await new Promise((done) => this.server.once("listening", done));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** The steps are counted from now on. */
  begin() {
    this.#began ??= performance.now();
  }

  seconds(ms) {
    return (ms - this.#began) / 1000;
  }

  close() {
    clearInterval(this.timer);
    this.server.close();
    for (const { client, up } of this.#wires) [client, up].forEach((socket) => socket.destroy());
  }

  #open(client, port) {
    const up = connect({ port, host: "127.0.0.1", noDelay: true });
    const wire = { client, up, chunks: [], waiting: 0, ended: false };
    this.#wires.push(wire);
    client.setNoDelay(true);
    const opened = performance.now() + DELAY_MS;
    client.on("data", (data) => {
      const path = /^GET (\S+)/.exec(data.toString("latin1"))?.[1];
      if (path) this.asked.push([performance.now(), path]);
      setTimeout(() => up.write(data), DELAY_MS / 2 + Math.max(0, opened - performance.now()));
    });
    up.on("data", (data) => {
      wire.chunks.push({ data, due: performance.now() + DELAY_MS / 2 });
      wire.waiting += data.length;
      if (wire.waiting > QUEUE) up.pause();
    });
    up.on("end", () => (wire.ended = true));
    const gone = () => {
      if (wire.chunks.length) this.asked.push([performance.now(), "given up"]);
      wire.chunks = [];
      client.destroy();
      up.destroy();
      this.#wires = this.#wires.filter((other) => other !== wire);
    };
    for (const socket of [client, up]) socket.on("error", gone);
    client.on("close", gone);
  }

  #send() {
    const now = performance.now();
    const after = this.#began === null ? 0 : this.seconds(now);
    const kbps = steps.findLast(([from]) => from <= after)[1];
    this.#budget = Math.min(this.#budget + (kbps / 8) * (now - this.last), Math.max(PACKET, (kbps / 8) * 20));
    this.halt = Math.max(this.halt, now - this.last);
    this.last = now;
    let idle = 0;
    while (this.#budget > 0 && idle < this.#wires.length) {
      const wire = this.#wires.shift();
      this.#wires.push(wire);
      const sent = this.#packet(wire, now);
      idle = sent ? 0 : idle + 1;
      this.#budget -= sent;
      this.bytes += sent;
    }
  }

  #packet(wire, now) {
    const [first] = wire.chunks;
    if (!first) {
      if (wire.ended) wire.client.end();
      return 0;
    }
    if (first.due > now || wire.client.writableNeedDrain) return 0;
    const piece = first.data.subarray(0, PACKET);
    first.data = first.data.subarray(piece.length);
    if (!first.data.length) wire.chunks.shift();
    wire.client.write(piece);
    wire.waiting -= piece.length;
    if (wire.waiting < QUEUE / 2) wire.up.resume();
    return piece.length;
  }
}

/** In the page: begins to play. */
async function load([name, src, settings]) {
  const video = document.querySelector("video");
  window.errors = [];
  if (name === "hls.js") {
    const player = new Hls();
    player.on(Hls.Events.ERROR, (_, e) => { if (e.fatal) errors.push(`${e.details} ${e.error ?? ""}`); });
    player.loadSource(src);
    player.attachMedia(video);
  } else if (src) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener("error", (e) => errors.push(`shaka ${e.detail.code} ${e.detail.data}`));
    player.configure(settings ?? {});
    try { await player.load(src); } catch (e) { errors.push(`shaka ${e.code} ${e.data}`); }
  }
  video.muted = true;
  await video.play().catch((e) => errors.push(e.message));
}

/** In the page: looks at the picture until it ends, or for `most` seconds. */
async function watch(most) {
  const video = document.querySelector("video");
  const asked = performance.now();
  const seen = { stalls: [], skipped: 0, heights: [], ahead: [], waits: 0, halt: 0 };
  let still = 0;
  let first = null;
  let [at, time] = [asked, video.currentTime];
  video.addEventListener("waiting", () => seen.waits += first !== null);
  while (!video.ended && performance.now() - asked < most * 1000) {
    await new Promise((done) => setTimeout(done, 40));
    const [now, shown] = [performance.now(), video.currentTime];
    const [wall, media] = [(now - at) / 1000, shown - time];
    [at, time] = [now, shown];
    if (first !== null) seen.halt = Math.max(seen.halt, wall * 1000);
    if (first === null) {
      if (media <= 0) continue;
      first = now;
      window.began();
    }
    if (video.videoHeight !== seen.heights.at(-1)?.[1]) seen.heights.push([(now - first) / 1000, video.videoHeight]);
    const ahead = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - shown : 0;
    if ((now - first) / 1000 >= seen.ahead.length) seen.ahead.push(ahead);
    if (media > wall + 0.15) seen.skipped += media - wall;
    if (media < wall / 2 && !video.ended) {
      still += wall - media;
    } else if (still) {
      if (still > 0.15) seen.stalls.push(still);
      still = 0;
    }
  }
  if (still > 0.15 && !video.ended) seen.stalls.push(still);
  const { droppedVideoFrames: dropped, totalVideoFrames: frames } = video.getVideoPlaybackQuality();
  return { ...seen, start: (first - asked) / 1000, ended: video.ended, time: video.currentTime, dropped, frames, errors };
}

async function main() {
  const work = mkdtempSync(join(tmpdir(), "duoku-line-"));
  const port = 20000 + Math.floor(Math.random() * 20000);
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env, DUOKU_DATA: join(work, "data"), DUOKU_LISTEN: `127.0.0.1:${port}`, DUOKU_ADMIN_PASSWORD: "acceptance-tests",
    DUOKU_UPLOAD_KEEP_FREE_BYTES: "0", DUOKU_WORK_KEEP_FREE_BYTES: "0",
  };
  const log = openSync(join(work, "log"), "a");
  const server = spawn(duoku, ["serve"], { env, stdio: ["ignore", log, log] });
  let failed = 0;
  try {
    await ready(`${url}/readyz`);
    makeClip(join(work, "clip.mp4"));
    execFileSync(duoku, ["import", join(work, "clip.mp4"), "--library", "main", "--wait"], { env, stdio: ["ignore", log, log] });
    const { id } = (await (await fetch(`${url}/api/resources`)).json()).items[0];
    const rungs = rungsOf(await (await fetch(`${url}/media/${id}/master.m3u8`)).text());
    console.log(`rungs: ${[...rungs.values()].map(({ height, kbps }) => `${height}p ${kbps} kbit/s`).join(", ")}; line: ${steps.map(([from, kbps]) => `${kbps} kbit/s from ${from} s`).join(", ")}`);
    console.log("                       start s  longest stall s  all s  waits  skipped s     MB  frames dropped");
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"] });
    for (const [name, player] of Object.entries(players).filter(([name]) => only.includes(name))) {
      failed += await compare(browser, name, player, id, port, rungs);
    }
    await browser.close();
  } finally {
    server.kill();
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${failed} failed`);
  return failed;
}

async function compare(browser, name, player, id, port, rungs, attempts = 3) {
  const [script, manifest, settings] = player;
  const line = new Line(port);
  const origin = await line.listen();
  const page = await browser.newPage();
  let seen;
  try {
    await page.exposeFunction("began", () => line.begin());
    await page.goto(script ? site : `${origin}/resources/${id}`);
    if (script) await page.addScriptTag({ url: `${site}/${script}` });
    // The page has done its part when the player's controls are there.
    else await page.locator(".shaka-controls-container").waitFor({ timeout: 30_000, state: "attached" });
    const watched = page.evaluate(watch, SECONDS + 60);
    await page.evaluate(load, [name, manifest && `${origin}/media/${id}/${manifest}`, settings]);
    seen = await watched;
  } catch (error) {
    seen = { stalls: [], heights: [], errors: [error.message.split("\n")[0]] };
  }
  await page.close().catch(() => {});
  line.close();
  const halt = Math.max(line.halt, seen.halt ?? 0);
  if (halt > MOST_HALT && attempts > 1) {
    console.log(`again  ${name}: nothing ran for ${(halt / 1000).toFixed(1)} s`);
    return compare(browser, name, player, id, port, rungs, attempts - 1);
  }
  const fetched = [];
  for (const [ms, path] of line.asked) {
    const height = rungs.get(/\/([0-9a-f]{32})\/\d+\.m4s/.exec(path)?.[1])?.height;
    if (height && height !== fetched.at(-1)?.[1]) fetched.push([line.seconds(ms), height]);
  }
  if (process.env.TRACE) trace(line, rungs, seen.ahead);
  const longest = Math.max(0, ...seen.stalls);
  const wrong = [...seen.errors];
  if (!seen.ended) wrong.push(`ends at ${seen.time}`);
  if (longest > MOST) wrong.push(`stands still for ${longest.toFixed(1)} s`);
  if (!fetched.some(([, height], i) => i && height < fetched[i - 1][1])) wrong.push("never goes down");
  const cells = [
    [seen.start?.toFixed(2), 10], [longest.toFixed(2), 17], [seen.stalls.reduce((sum, stall) => sum + stall, 0).toFixed(2), 7],
    [seen.waits, 7], [seen.skipped?.toFixed(2), 11], [(line.bytes / 1e6).toFixed(1), 7], [`${seen.dropped} of ${seen.frames}`, 16],
  ];
  console.log(`${wrong.length ? "FAILED" : "ok    "} ${name.padEnd(13)}${cells.map(([text, width]) => String(text).padStart(width)).join("")}  ${wrong.join("; ")}`);
  const words = (list) => list.map(([from, height]) => `${height}p ${from.toFixed(0)} s`).join(", ");
  console.log(`         asked for ${words(fetched)}\n         shown ${words(seen.heights)}`);
  return wrong.length ? 1 : 0;
}

function trace(line, rungs, ahead = []) {
  for (const [ms, path] of line.asked) {
    const [, id, name] = /\/([0-9a-f]{32})\/([^/]+)$/.exec(path) ?? [null, "", path];
    const after = line.seconds(ms);
    console.log(`${after.toFixed(2).padStart(15)} s  ${(ahead[Math.max(0, Math.floor(after))] ?? 0).toFixed(1).padStart(5)} s ahead  ${rungs.get(id)?.height ?? id.slice(-4)} ${name}`);
  }
}

/** Detail that moves, and noise: the rungs differ much in bytes, and the top one is the source as it is. */
function makeClip(path) {
  const picture = `testsrc2=s=1280x720:r=25:d=${SECONDS},noise=alls=14:allf=t`;
  const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-maxrate", "3500k", "-bufsize", "7000k", "-g", "50", "-bf", "0"];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=f=330:b=4:d=${SECONDS}`,
    ...x264, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path]);
}

/** Height and peak bit rate of each rendition of the picture, by its id. */
function rungsOf(master) {
  const found = master.matchAll(/^#EXT-X-STREAM-INF:.*?BANDWIDTH=(\d+).*RESOLUTION=\d+x(\d+).*\n([0-9a-f]{32})/gm);
  return new Map([...found].map(([, bits, height, id]) => [id, { height: Number(height), kbps: Math.round(bits / 1000) }]));
}

async function ready(address) {
  for (let left = 150; ; left--) {
    if ((await fetch(address).catch(() => null))?.ok) return;
    if (!left) throw new Error(`${address} does not answer`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** The players' scripts, from another origin and not over the line. */
const web = createServer(async (request, answer) => {
  const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
  if (path === "/") return answer.setHeader("content-type", "text/html").end("<!doctype html><video width=640></video>");
  try {
    answer.setHeader("content-type", "text/javascript").end(await readFile(join(folder, "node_modules", path)));
  } catch {
    answer.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await new Promise((done) => web.once("listening", done));
const site = `http://127.0.0.1:${web.address().port}`;
const failed = await main();
web.close();
process.exit(failed ? 1 : 0);
