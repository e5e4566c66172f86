import { find } from "../lib/dom";
import { pick } from "../lib/lang";

/** Seconds until the next lesson begins by itself. */
const wait_s = 8;

/** When what the lesson plays is over, the next lesson comes, unless somebody stays. */
export function goOn(lesson: HTMLElement): void {
  const next = lesson.dataset["next"];
  const box = find("[data-coming]", lesson);
  const media = find<HTMLMediaElement>("[data-player] video, [data-player] audio", lesson);
  if (!next || !box || !media) return;
  const go = find<HTMLAnchorElement>("[data-coming-go]", box);
  const left = find("[data-coming-left]", box);
  let timer = 0;

  const stop = () => {
    clearInterval(timer);
    box.hidden = true;
  };
  media.addEventListener("ended", () => {
    if (media.loop) return;
    void leaveFullScreen();
    let seconds = wait_s;
    const tick = () => {
      if (left) left.textContent = pick(`${seconds} 秒后开始`, `starts in ${seconds} s`);
      if (seconds === 0) location.assign(playing(next));
      seconds -= 1;
    };
    box.hidden = false;
    clearInterval(timer);
    timer = window.setInterval(tick, 1000);
    tick();
    go?.focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  });
  media.addEventListener("play", stop);
  find("[data-coming-stop]", box)?.addEventListener("click", () => {
    stop();
    media.focus({ preventScroll: true });
  });
  if (go) go.href = playing(next);
}

/** The lesson's address, begun at once. */
function playing(href: string): string {
  const url = new URL(href, location.href);
  url.searchParams.set("play", "1");
  return url.href;
}

async function leaveFullScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
}
