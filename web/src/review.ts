import { find } from "./lib/dom";

/** The button beside the comment's field puts the time in it that the player shows. */
const form = find("[data-comment-form]");
const media = find<HTMLMediaElement>("[data-player] video, [data-player] audio");
const field = form && find<HTMLInputElement>('input[name="at"]', form);
const button = form && find("[data-now]", form);
if (media && field && button) {
  button.removeAttribute("data-waits");
  button.addEventListener("click", () => (field.value = clock(media.currentTime)));
}

/** `1:02:03` or `2:03`. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
