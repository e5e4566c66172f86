/** A text and when it is shown; milliseconds from the start of the media. Never changed, only replaced. */
export interface Cue {
  /** Tells it from the others for as long as the page is open. */
  readonly id: number;
  readonly start: number;
  /** After `start`, unless somebody is just typing it. */
  readonly end: number;
  /** As people write it: lines, with `<i>`, `<b>`, `<u>` and `<ruby>` where they are wanted. */
  readonly text: string;
  /** WebVTT cue settings, kept as they came. */
  readonly settings: string;
}

/** The cues of a track by their start. */
export type Cues = readonly Cue[];

/** How long a new cue is, and no cue gets shorter than the second one, ms. */
const usual_ms = 2000;
export const least_ms = 100;

let last_id = 0;

export function cue(start: number, end: number, text: string, settings = ""): Cue {
  last_id += 1;
  return { id: last_id, start: Math.max(0, Math.round(start)), end: Math.round(end), text, settings };
}

/** Reads the WebVTT that the server writes. */
export function parse(vtt: string): Cues {
  const found: Cue[] = [];
  for (const block of vtt.replace(/\r\n?/g, "\n").trim().split(/\n{2,}/)) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => line.includes("-->"));
    const match = /^(\S+)\s+-->\s+(\S+)\s*(.*)$/.exec(lines[at]?.trim() ?? "");
    const [start, end] = [milliseconds(match?.[1] ?? ""), milliseconds(match?.[2] ?? "")];
    if (start === null || end === null) continue;
    found.push(cue(start, end, readable(lines.slice(at + 1).join("\n")), match?.[3] ?? ""));
  }
  return found;
}

/** The cues as WebVTT (W3C); those without text or time are left out. */
export function webvtt(cues: Cues): string {
  const whole = sorted(cues).filter(isWhole);
  const block = ({ start, end, text, settings }: Cue) => `${stamp(start)} --> ${stamp(end)}${settings && ` ${settings}`}\n${escaped(text)}\n`;
  return `WEBVTT\n\n${whole.map(block).join("\n")}`;
}

/** The cues as SubRip, for programs that know nothing else. */
export function subrip(cues: Cues): string {
  const whole = sorted(cues).filter(isWhole);
  return whole.map(({ start, end, text }, at) => `${at + 1}\n${stamp(start, ",")} --> ${stamp(end, ",")}\n${lines(text)}\n`).join("\n");
}

/** Whether a cue can be shown. */
export function isWhole({ start, end, text }: Cue): boolean {
  return start < end && text.trim() !== "";
}

export function sorted(cues: Cues): Cues {
  return [...cues].sort((one, other) => one.start - other.start || one.end - other.end);
}

/** `00:01:02.345`, as WebVTT has it. */
export function stamp(ms: number, point = "."): string {
  const part = (n: number, length: number) => String(Math.floor(n)).padStart(length, "0");
  return `${part(ms / 3_600_000, 2)}:${part((ms / 60_000) % 60, 2)}:${part((ms / 1000) % 60, 2)}${point}${part(ms % 1000, 3)}`;
}

/** `1:02.345`, as people write it. */
export function short(ms: number): string {
  return stamp(ms).replace(/^0?0:0?/, "");
}

/** Milliseconds of `1:02:03.5`, `2:03`, `3.25` or `3，25`; null when it is no time. */
export function milliseconds(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,5})(?:[.,，。](\d{1,3}))?$/.exec(text.trim().replace(/：/g, ":"));
  if (!match) return null;
  const [hours, minutes, seconds] = [match[1], match[2], match[3]].map((part) => Number(part ?? 0)) as [number, number, number];
  if (match[2] !== undefined && seconds > 59) return null;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + Number((match[4] ?? "").padEnd(3, "0"));
}

/** The cue of this id with other values, in its place by time. */
export function changed(cues: Cues, id: number, values: Partial<Omit<Cue, "id">>): Cues {
  const next = cues.map((one) => (one.id === id ? { ...one, ...values } : one));
  return values.start === undefined ? next : sorted(next);
}

export function removed(cues: Cues, id: number): Cues {
  return cues.filter((one) => one.id !== id);
}

/** A new cue at `at`, up to the next one. */
export function inserted(cues: Cues, at: number): { cues: Cues; made: Cue } {
  const next = cues.find(({ start }) => start > at);
  const end = Math.max(at + least_ms, Math.min(at + usual_ms, next?.start ?? Infinity));
  const made = cue(at, end, "");
  return { cues: sorted([...cues, made]), made };
}

/**
 * The cue in two: its text at `caret`, its time at `at` where that lies inside, else in the
 * proportion of the text. Null when one half would be empty of time.
 */
export function split(cues: Cues, id: number, caret: number, at: number | null): { cues: Cues; second: Cue } | null {
  const whole = cues.find((one) => one.id === id);
  if (!whole || whole.end - whole.start < 2 * least_ms) return null;
  const inside = at !== null && at >= whole.start + least_ms && at <= whole.end - least_ms;
  const share = whole.text.length > 0 ? caret / whole.text.length : 0.5;
  const place = whole.start + (whole.end - whole.start) * Math.min(0.9, Math.max(0.1, share));
  const cut = Math.round(inside ? at : Math.min(whole.end - least_ms, Math.max(whole.start + least_ms, place)));
  const first = { ...whole, end: cut, text: whole.text.slice(0, caret).trim() };
  const second = cue(cut, whole.end, whole.text.slice(caret).trim(), whole.settings);
  return { cues: sorted([...cues.map((one) => (one.id === id ? first : one)), second]), second };
}

/** The cue with the next one after it; null when there is none. */
export function joined(cues: Cues, id: number): Cues | null {
  const at = cues.findIndex((one) => one.id === id);
  const [one, next] = [cues[at], cues[at + 1]];
  if (!one || !next) return null;
  const whole = { ...one, end: Math.max(one.end, next.end), text: joinedText(one.text.trim(), next.text.trim()) };
  return [...cues.slice(0, at), whole, ...cues.slice(at + 2)];
}

/** All cues from that of `from` on (all of them without), later by `ms`; none begins before 0. */
export function shifted(cues: Cues, ms: number, from: number | null): Cues {
  const first = from === null ? 0 : Math.max(0, cues.findIndex(({ id }) => id === from));
  const later = (one: Cue, at: number): Cue => {
    if (at < first) return one;
    const start = Math.max(0, one.start + ms);
    return { ...one, start, end: Math.max(start + least_ms, one.end + ms) };
  };
  return sorted(cues.map(later));
}

/** Every `wanted` as `other`, and how many there were; capital letters or not are the same. */
export function replaced(cues: Cues, wanted: string, other: string): { cues: Cues; count: number } {
  if (wanted === "") return { cues, count: 0 };
  const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  let count = 0;
  const next = cues.map((one) => {
    const text = one.text.replace(pattern, () => {
      count += 1;
      return other;
    });
    return text === one.text ? one : { ...one, text };
  });
  return { cues: next, count };
}

/** Index of the cue that is shown at `ms`, the last to begin; -1 when none is. */
export function shownAt(cues: Cues, ms: number): number {
  let [low, high] = [0, cues.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.start ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return (cues[low - 1]?.end ?? -1) > ms ? low - 1 : -1;
}

/** Whether two tracks say the same at the same times. */
export function same(one: Cues, other: Cues): boolean {
  const alike = (one: Cue, other: Cue | undefined) =>
    one === other || (one.start === other?.start && one.end === other.end && one.text === other.text && one.settings === other.settings);
  return one === other || (one.length === other.length && one.every((cue, at) => alike(cue, other[at])));
}

/** Latin words need a space between them, Chinese ones do not. */
function joinedText(one: string, next: string): string {
  const latin = /[\p{Script=Latin}\d,.;:!?]$/u.test(one) && /^[\p{Script=Latin}\d]/u.test(next);
  return latin ? `${one} ${next}` : one + next;
}

/** Text without empty lines, which would end a cue. */
function lines(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).join("\n");
}

function readable(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function escaped(text: string): string {
  const plain = lines(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return plain.replace(/&lt;(\/?(?:i|b|u|ruby|rt))&gt;/g, "<$1>");
}
