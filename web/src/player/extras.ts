import type shaka from "shaka-player/dist/shaka-player.ui.js";
import { keep, recall } from "../lib/store";
import type { Chapter, Source } from "./source";

/** `off`, or the language of the captions that were chosen last. */
const chosen = "duoku.captions";

/** What goes along with the media: captions, small pictures on the seek bar, chapters. None is vital. */
export async function extras(player: shaka.Player, source: Source): Promise<void> {
  await captions(player, source).catch(console.warn);
  if (!source.video) return;
  if (source.storyboard !== null) await player.addThumbnailsTrack(source.storyboard, "text/vtt").catch(console.warn);
  if (source.chapters.length > 0) {
    await player.addChaptersTrack(vtt(source.chapters), document.documentElement.lang, "text/vtt").catch(console.warn);
  }
}

async function captions(player: shaka.Player, source: Source): Promise<void> {
  if (!source.video || source.editing) return;
  const there = new Set(player.getTextTracks().map((track) => track.language.split("-")[0]));
  for (const { src, language, label } of source.captions) {
    if (there.has(language.split("-")[0])) continue;
    await player.addTextTrackAsync(src, language, "subtitles", "text/vtt", "", label);
  }
  const kept = recall(chosen);
  const tracks = player.getTextTracks();
  const wanted = tracks.find((track) => track.language === kept) ?? tracks.find((track) => track.language.split("-")[0] === source.captions[0]?.language.split("-")[0]) ?? tracks[0];
  if (wanted && kept !== "off") player.selectTextTrack(wanted);
  player.addEventListener("textchanged", () => keep(chosen, player.getTextTracks().find((track) => track.active)?.language ?? "off"));
}

/** Chapters as WebVTT in a data address, the form in which the player takes them. */
function vtt(chapters: Chapter[]): string {
  const cues = chapters.map(({ start, end, title }) => `${stamp(start)} --> ${stamp(end)}\n${title.replace(/\s+/g, " ").replace(/-->/g, "→")}\n`);
  return `data:text/vtt;charset=utf-8,${encodeURIComponent(`WEBVTT\n\n${cues.join("\n")}`)}`;
}

function stamp(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const part = (n: number, length: number) => String(Math.floor(n)).padStart(length, "0");
  return `${part(ms / 3_600_000, 2)}:${part((ms / 60_000) % 60, 2)}:${part((ms / 1000) % 60, 2)}.${part(ms % 1000, 3)}`;
}
