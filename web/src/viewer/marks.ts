import { fold } from "./words";

/** Elements whose text is not read. */
const UNREAD = "rt, rp, mark";

/** Marks what meets the query in the text of a chapter; gives the first mark, or null. */
export function markWords(inside: Document, query: string[]): Element | null {
  if (query.length === 0) return null;
  const texts: Text[] = [];
  const walker = inside.createTreeWalker(inside.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement?.closest(UNREAD)) texts.push(node as Text);
  }
  const { text, owners } = folded(texts);
  const met = new Map<number, Set<number>>();
  for (const part of query) {
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
      for (const [nth, sign] of owners.slice(at, at + part.length)) {
        const signs = met.get(nth) ?? new Set();
        met.set(nth, signs.add(sign));
      }
    }
  }
  for (const [nth, signs] of met) wrap(texts[nth], signs);
  return inside.querySelector("mark");
}

/** All the text as it is compared, and of each of its characters whose it is: text and place in it. */
function folded(texts: Text[]): { text: string; owners: [nth: number, at: number][] } {
  const owners: [number, number][] = [];
  let text = "";
  texts.forEach((one, nth) => {
    let at = 0;
    for (const sign of one.data) {
      const plain = fold(sign);
      text += plain;
      for (let n = 0; n < plain.length; n += 1) owners.push([nth, at]);
      at += sign.length;
    }
  });
  return { text, owners };
}

/** Puts the characters at these places into marks. */
function wrap(text: Text | undefined, signs: Set<number>): void {
  if (!text) return;
  const parts = text.ownerDocument.createDocumentFragment();
  const pieces: { marked: boolean; text: string }[] = [];
  let at = 0;
  for (const sign of text.data) {
    const marked = signs.has(at);
    const last = pieces[pieces.length - 1];
    if (last?.marked === marked) last.text += sign;
    else pieces.push({ marked, text: sign });
    at += sign.length;
  }
  for (const piece of pieces) {
    const node = text.ownerDocument.createTextNode(piece.text);
    if (piece.marked) parts.appendChild(text.ownerDocument.createElement("mark")).append(node);
    else parts.append(node);
  }
  text.replaceWith(parts);
}
