import { keep, recall } from "../lib/store";

/** Where to begin. */
export interface Opening {
  seconds: number;
  /** The address asked for this second, or for playing (`?play`), so it is to be played at once. */
  asked: boolean;
}

const every_ms = 4000;
/** Less than this is not worth resuming. */
const least_s = 10;

/** The second in the address (`?t=83`), else the one kept from the last time, else the start. */
export function opening(id: string): Opening {
  const wanted = new URLSearchParams(location.search);
  const t = wanted.get("t");
  const asked = t === null || t.trim() === "" ? Number.NaN : Number(t);
  if (Number.isFinite(asked) && asked >= 0) return { seconds: asked, asked: true };
  const kept = Number(recall(key(id)));
  return { seconds: Number.isFinite(kept) && kept >= least_s ? kept : 0, asked: wanted.has("play") };
}

/** Keeps the place while playing; forgets it near the end. */
export function rememberPlace(id: string, media: HTMLMediaElement): void {
  let last = 0;
  const save = () => {
    // Before anything is loaded the media stand at 0.
    if (media.readyState === 0) return;
    const { currentTime: now, duration } = media;
    const over = media.ended || (Number.isFinite(duration) && duration - now < Math.min(15, duration * 0.05));
    keep(key(id), over || now < least_s ? null : now.toFixed(1));
  };
  media.addEventListener("timeupdate", () => {
    if (media.paused || Date.now() - last < every_ms) return;
    last = Date.now();
    save();
  });
  for (const event of ["pause", "ended", "seeked"]) media.addEventListener(event, save);
  addEventListener("pagehide", save);
}

function key(id: string): string {
  return `duoku.place.${id}`;
}
