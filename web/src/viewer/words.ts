import { all, make } from "../lib/dom";

/** A word's place on its page; all four are parts of the page, 0 to 1. In Chinese it is a whole line. */
interface Word {
  x: number;
  y: number;
  w: number;
  h: number;
  text: string;
}

/** Which characters of which word are met by the query. */
type Met = Map<number, Set<number>>;

const canvas = document.createElement("canvas").getContext("2d");

/**
 * Loads the words of a picture, whose height is `ratio` of its width, as a layer to be laid over it, with
 * what meets the query marked; null where there are none.
 */
export async function wordLayer(url: string, query: string[], ratio: number): Promise<HTMLElement | null> {
  const answer = await fetch(url);
  if (!answer.ok) return null;
  const { words } = (await answer.json()) as { words: Word[] };
  const layer = make("div", { className: "words" });
  const met = meet(words, query);
  words.forEach((word, at) => {
    const span = make("span", { className: met.has(at) ? "met" : "" }, ...pieces(word.text, met.get(at)));
    place(span, word, ratio);
    layer.append(span, " ");
  });
  return layer;
}

/** The text with its met characters in marks. */
function pieces(text: string, met: Set<number> | undefined): (Node | string)[] {
  if (!met) return [text];
  const parts: { marked: boolean; text: string }[] = [];
  [...text].forEach((sign, at) => {
    const last = parts[parts.length - 1];
    if (last?.marked === met.has(at)) last.text += sign;
    else parts.push({ marked: met.has(at), text: sign });
  });
  return parts.map((part) => (part.marked ? make("mark", { className: "hit-word", textContent: part.text }) : part.text));
}

/**
 * The font's size is that of the print: boxes of Chinese fonts are far higher than their letters, so
 * the size follows from the width, and the text stands in the middle of the box. The layer's own size
 * is the width of the sheet.
 */
function place(span: HTMLElement, word: Word, ratio: number): void {
  const box = word.h * ratio;
  const ems = textWidth(word.text);
  const size = ems > 0 ? Math.min(box, (1.15 * word.w) / ems) : box;
  span.style.left = `${word.x * 100}%`;
  span.style.top = `${(word.y + (box - size) / 2 / ratio) * 100}%`;
  span.style.fontSize = `${size}em`;
  if (ems > 0) span.style.transform = `scaleX(${word.w / (ems * size)})`;
}

/** Width of a text in ems of the layer's font. */
function textWidth(text: string): number {
  if (!canvas) return text.length;
  canvas.font = "100px sans-serif";
  return canvas.measureText(text).width / 100;
}

/** What takes part in a match; a match may run over several words, and begin within one. */
function meet(words: Word[], query: string[]): Met {
  const met: Met = new Map();
  if (query.length === 0) return met;
  const owners: [word: number, sign: number][] = [];
  let text = "";
  words.forEach((word, at) => {
    [...word.text].forEach((sign, nth) => {
      const plain = fold(sign);
      text += plain;
      for (let n = 0; n < plain.length; n += 1) owners.push([at, nth]);
    });
  });
  for (const part of query) {
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
      for (const [word, sign] of owners.slice(at, at + part.length)) {
        const signs = met.get(word) ?? new Set();
        met.set(word, signs.add(sign));
      }
    }
  }
  return met;
}

/**
 * What to mark: the words of the query, and what the search marked in the moments above, which knows other
 * scripts, pinyin and parts of words.
 */
export function wanted(query: string): string[] {
  const met = all("[data-moments] mark").map((mark) => mark.textContent ?? "");
  return [...new Set([...query.replace(/["“”]/g, " ").split(/\s+/), ...met].map(fold))].filter(Boolean);
}

/** Full and half width and capitals count as one; blanks do not count. */
export function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");
}
