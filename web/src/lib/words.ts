import { chinese, pick } from "./lang";

/** `1:02:03` or `2:03` of seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A size in decimal units, `3.4 MB`. */
export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let power = 0;
  let scaled = bytes;
  while (scaled >= 1000 && power + 1 < units.length) {
    scaled /= 1000;
    power += 1;
  }
  return `${power === 0 || scaled >= 100 ? Math.floor(scaled) : scaled.toFixed(1)} ${units[power]}`;
}

/** How long is left, in words; seconds are rounded up to tens so that the words do not flicker. */
export function left(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return pick(`还要 ${Math.max(1, Math.ceil(seconds / 10)) * 10} 秒左右`, `about ${Math.max(1, Math.ceil(seconds / 10)) * 10} s left`);
  if (seconds < 3600) return pick(`还要 ${Math.ceil(seconds / 60)} 分钟左右`, `about ${Math.ceil(seconds / 60)} min left`);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.ceil((seconds % 3600) / 60);
  return chinese ? `还要 ${hours} 小时 ${minutes} 分左右` : `about ${hours} h ${minutes} min left`;
}
