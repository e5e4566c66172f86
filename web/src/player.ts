import "shaka-player/dist/controls.css";
import "./style/player.css";
import { all, find } from "./lib/dom";
import { pick } from "./lib/lang";
import { play } from "./player/engine";
import { keys } from "./player/keys";
import { arrows, follow, transcriptFilter } from "./player/panels";
import { opening, rememberPlace } from "./player/place";
import { readSource } from "./player/source";

for (const frame of all("[data-player]")) {
  const media = find<HTMLMediaElement>("video, audio", frame);
  if (media) void start(frame, media);
}

async function start(frame: HTMLElement, media: HTMLMediaElement): Promise<void> {
  const source = readSource(frame, media);
  const open = opening(source.id);
  const says = speaker(frame);
  follow(media);
  arrows();
  transcriptFilter();
  try {
    await play(source, media, open.seconds);
  } catch (error) {
    console.error(error);
    says(pick("播放不了。请刷新页面再试，或下载原件观看。", "This cannot be played. Reload the page, or download the original."));
    media.controls = true;
    return;
  }
  rememberPlace(source.id, media);
  keys(frame, media);
  if (open.asked) media.play().catch(() => says(pick("点一下画面开始播放", "Activate the picture to play")));
  else if (open.seconds > 0) says(pick("已从上次的地方接着播放", "Resumed where you left off"));
}

/** Shows a sentence over the lower edge of the player for some seconds. */
function speaker(frame: HTMLElement): (text: string) => void {
  const line = find("[data-player-says]", frame);
  let timer = 0;
  return (text) => {
    if (!line) return;
    line.textContent = text;
    line.hidden = false;
    clearTimeout(timer);
    timer = window.setTimeout(() => (line.hidden = true), 5000);
  };
}
