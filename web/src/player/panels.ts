import { all, centre, find } from "../lib/dom";

/** Chapters, slides, transcript lines and moments: a click seeks, and the one being played is marked. */
export function follow(media: HTMLMediaElement): void {
  const lists = all("[data-chapters], [data-slides], [data-moments], [data-transcript] .cues");
  for (const list of lists) {
    const links = all<HTMLAnchorElement>("a[data-start]", list);
    const starts = links.map((link) => Number(link.dataset["start"]) / 1000);
    list.addEventListener("click", (event) => seek(event, media));
    if (!list.matches("[data-moments]")) mark(list, links, starts, media);
  }
}

function seek(event: Event, media: HTMLMediaElement): void {
  const mouse = event as MouseEvent;
  if (mouse.ctrlKey || mouse.metaKey || mouse.shiftKey || mouse.button > 0) return;
  const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-start]");
  if (!link) return;
  event.preventDefault();
  media.currentTime = Number(link.dataset["start"]) / 1000;
  media.play().catch(() => undefined);
  const box = media.getBoundingClientRect();
  if (box.bottom < 120 || box.top > innerHeight - 120) media.scrollIntoView({ block: "center" });
  history.replaceState(null, "", link.href);
}

/** Marks the last line that has begun; scrolls it into sight unless the list is being used. */
function mark(list: HTMLElement, links: HTMLAnchorElement[], starts: number[], media: HTMLMediaElement): void {
  let now = -1;
  let used = 0;
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    list.addEventListener(event, () => (used = Date.now()), { passive: true });
  }
  media.addEventListener("timeupdate", () => {
    const at = begun(starts, media.currentTime + 0.05);
    if (at === now) return;
    links[now]?.classList.remove("now");
    links[now]?.removeAttribute("aria-current");
    now = at;
    const link = links[at];
    if (!link) return;
    link.classList.add("now");
    link.setAttribute("aria-current", "true");
    if (Date.now() - used > 4000 && !media.paused) centre(list, link);
  });
}

/** In a strip of slides the arrows go from one to the next, as on a remote control. */
export function arrows(): void {
  const strip = find("[data-slides]");
  strip?.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const links = all<HTMLAnchorElement>("a", strip);
    const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
    if (step === 0 || !next || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    next.focus();
  });
}

/** Index of the last of the rising `starts` that is not after `seconds`; -1 before the first. */
function begun(starts: number[], seconds: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Shows only the lines of the transcript with what is typed. */
export function transcriptFilter(): void {
  const panel = find("[data-transcript]");
  const input = panel && find<HTMLInputElement>(".filter input", panel);
  const label = input?.closest<HTMLElement>(".filter");
  if (!panel || !input || !label) return;
  const rows = all("li", panel);
  const texts = rows.map((row) => row.textContent?.toLowerCase() ?? "");
  const none = find(".none", panel);
  label.removeAttribute("data-waits");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at]?.includes(word));
      if (!row.hidden) shown += 1;
    });
    if (none) none.hidden = shown > 0;
  });
}
