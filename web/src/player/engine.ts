import type shaka from "shaka-player/dist/shaka-player.ui.js";
import { chinese } from "../lib/lang";
import { keep, recall } from "../lib/store";
import { audioChoices, rates } from "./audio";
import { extras } from "./extras";
import type { Source } from "./source";

type Shaka = typeof shaka;

const hls_type = "application/vnd.apple.mpegurl";

/**
 * Plays `source` from `seconds`. Browsers that can are given our own player (media source extensions);
 * the others, iOS before 17.1 among them, play HLS by themselves.
 */
export async function play(source: Source, media: HTMLMediaElement, seconds: number): Promise<void> {
  if (!("MediaSource" in window) && !("ManagedMediaSource" in window)) {
    native(source, media, seconds);
    return;
  }
  const library: Shaka = (await import("shaka-player/dist/shaka-player.ui.js")).default;
  library.polyfill.installAll();
  if (!library.Player.isBrowserSupported()) {
    native(source, media, seconds);
    return;
  }
  const player = new library.Player(null, source.video ? media.parentElement : null);
  await player.attach(media);
  configure(player);
  if (source.video) controls(library, player, media as HTMLVideoElement, source.title);
  await load(player, source, seconds);
  if (!source.video) audioChoices(media, player);
  await extras(player, source);
  if (source.growing && source.video) void loadWhole(player, source, media).catch(console.warn);
}

/**
 * Loads what grew once more when all of it is there, at the same place: the media source keeps the length
 * that it was begun with, and nobody could jump beyond that.
 */
async function loadWhole(player: shaka.Player, source: Source, media: HTMLMediaElement): Promise<void> {
  let stage = "processing";
  while (stage === "processing") {
    await new Promise((wake) => setTimeout(wake, 4000));
    const answer = await fetch(`/api/resources/${source.id}`);
    stage = ((await answer.json()) as { stage: string }).stage;
  }
  const { paused } = media;
  await load(player, source, media.currentTime);
  await extras(player, source);
  if (!paused) await media.play();
}

function native(source: Source, media: HTMLMediaElement, seconds: number): void {
  if (media.canPlayType(hls_type) === "") throw new Error("neither media source extensions nor HLS");
  media.controls = true;
  media.src = source.hls;
  media.addEventListener("loadedmetadata", () => (media.currentTime = seconds), { once: true });
  if (!source.video) audioChoices(media, null);
}

function configure(player: shaka.Player): void {
  const retry = { maxAttempts: 6, baseDelay: 700, backoffFactor: 1.8, fuzzFactor: 0.4, timeout: 30_000 };
  player.configure({
    preferredAudio: [{ language: recall("duoku.audio") ?? (chinese ? "zh" : "en") }],
    streaming: { bufferingGoal: 30, rebufferingGoal: 1, bufferBehind: 60, retryParameters: retry },
    manifest: { retryParameters: retry },
    abr: { defaultBandwidthEstimate: Number(recall("duoku.bandwidth")) || 1_500_000 },
  });
  player.addEventListener("variantchanged", () => {
    const language = player.getAudioTracks().find((track) => track.active)?.language;
    if (language) keep("duoku.audio", language);
  });
  addEventListener("pagehide", () => {
    const { estimatedBandwidth } = player.getStats();
    if (estimatedBandwidth > 0) keep("duoku.bandwidth", String(Math.round(estimatedBandwidth)));
  });
}

function controls(library: Shaka, player: shaka.Player, video: HTMLVideoElement, title: string): void {
  video.controls = false;
  const box = video.parentElement;
  if (!box) return;
  video.title = "";
  const overlay = new library.ui.Overlay(player, box, video);
  const wide = box.clientWidth >= 560;
  overlay.configure({
    controlPanelElements: wide
      ? ["play_pause", "mute_volume", "time_and_duration", "spacer", "overflow_menu", "picture_in_picture", "fullscreen"]
      : ["play_pause", "time_and_duration", "spacer", "overflow_menu", "fullscreen"],
    topControlPanelElements: [],
    bigButtons: ["play_pause_buffering"],
    overflowMenuButtons: ["captions", "quality", "playback_rate", "language", "chapter"],
    contextMenuElements: ["loop", "picture_in_picture"],
    playbackRates: rates,
    seekBarColors: { played: "#7fd0d1", chapters: "rgba(255,255,255,0.9)" },
    keyboardSeekDistance: 5,
    keyboardLargeSeekDistance: 30,
    castSenderUrl: "",
    castReceiverAppId: "",
    showAudioCodec: false,
    showVideoCodec: false,
  });
  overlay.getControls()?.getLocalization()?.changeLocale([chinese ? "zh" : "en"]);
  if (navigator.mediaSession) navigator.mediaSession.metadata = new MediaMetadata({ title });
}

/** HLS first, since it also grows while a resource is being made; DASH when HLS cannot be loaded. */
async function load(player: shaka.Player, source: Source, seconds: number): Promise<void> {
  try {
    await player.load(source.hls, seconds, hls_type);
  } catch (error) {
    if (source.dash === null) throw error;
    await player.load(source.dash, seconds, "application/dash+xml");
  }
}
