import type shaka from "shaka-player/dist/shaka-player.ui.js";
import { make } from "../lib/dom";
import { pick } from "../lib/lang";

/** Speeds that can be chosen. */
export const rates = [0.5, 0.75, 1, 1.25, 1.5, 2];

/** What the browser's own controls of a sound leave out: the speed, and the language where there are several. */
export function audioChoices(audio: HTMLMediaElement, player: shaka.Player | null): void {
  const line = make("p", { className: "audio-choices" });
  const speed = choice(line, pick("速度", "Speed"), rates.map((rate) => [String(rate), `${rate}×`]), (rate) => (audio.playbackRate = Number(rate)));
  speed.value = String(audio.playbackRate);
  audio.addEventListener("ratechange", () => (speed.value = String(audio.playbackRate)));
  const tracks = player?.getAudioTracks() ?? [];
  if (tracks.length > 1) {
    const names = tracks.map(({ label, language }, at): [string, string] => [String(at), label || language]);
    const language = choice(line, pick("语言", "Language"), names, (at) => {
      const track = tracks[Number(at)];
      if (track) player?.selectAudioTrack(track);
    });
    language.value = String(tracks.findIndex((track) => track.active));
  }
  audio.after(line);
}

function choice(line: HTMLElement, name: string, values: [value: string, text: string][], take: (value: string) => void): HTMLSelectElement {
  const select = make("select", {}, ...values.map(([value, textContent]) => make("option", { value, textContent })));
  select.addEventListener("change", () => take(select.value));
  line.append(make("label", {}, make("span", { textContent: name }), select));
  return select;
}
