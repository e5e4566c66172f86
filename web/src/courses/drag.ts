import { all } from "../lib/dom";

/** Pixels from the edge of the window at which the page scrolls along, and how fast. */
const edge = 80;
const speed = 12;

/**
 * Lessons are dragged by their handles, by mouse, pen or finger. `put` is told the lesson, the number
 * of the section, and the lesson it is put in front of (empty: the end). Escape puts it back.
 */
export function draggable(editor: HTMLElement, put: (lesson: string, section: string, before: string) => void): void {
  showHandles(editor);
  editor.addEventListener("pointerdown", (event) => {
    const handle = (event.target as Element).closest<HTMLElement>("[data-drag]");
    const row = handle?.closest<HTMLElement>("[data-lesson]");
    if (!handle || !row || event.button !== 0) return;
    event.preventDefault();
    begin(row, event.pointerId, put);
  });
}

/** Handles that the server has just sent wait for the script. */
export function showHandles(editor: HTMLElement): void {
  for (const handle of all("[data-drag][data-waits]", editor)) handle.removeAttribute("data-waits");
}

/** Listens at the window: a row that is put elsewhere loses what its handle had captured. */
function begin(row: HTMLElement, pointer: number, put: (lesson: string, section: string, before: string) => void): void {
  const list = row.parentElement;
  const next = row.nextElementSibling;
  let y = 0;
  let moved = false;
  row.classList.add("dragged");

  const scroll = window.setInterval(() => {
    if (!moved) return;
    if (y < edge) scrollBy(0, -speed);
    else if (y > innerHeight - edge) scrollBy(0, speed);
    else return;
    place(row, y);
  }, 16);
  const move = (event: PointerEvent) => {
    if (event.pointerId !== pointer) return;
    moved = true;
    y = event.clientY;
    place(row, y);
  };
  const end = (kept: boolean) => {
    clearInterval(scroll);
    row.classList.remove("dragged");
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
    removeEventListener("pointercancel", cancel);
    removeEventListener("keydown", escape, true);
    const stays = row.parentElement === list && row.nextElementSibling === next;
    if (!kept) list?.insertBefore(row, next);
    else if (!stays) put(row.dataset["lesson"] ?? "", row.parentElement?.dataset["section"] ?? "0", (row.nextElementSibling as HTMLElement | null)?.dataset["lesson"] ?? "");
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    end(false);
  };
  const up = () => end(true);
  const cancel = () => end(false);
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  addEventListener("pointercancel", cancel);
  addEventListener("keydown", escape, true);
}

/** Puts the row where the pointer is: between lessons, or into a section that has none. */
function place(row: HTMLElement, y: number): void {
  const lists = all<HTMLElement>("[data-section]");
  const list = lists.find((one) => y < one.getBoundingClientRect().bottom) ?? lists[lists.length - 1];
  if (!list) return;
  const others = all<HTMLElement>("[data-lesson]", list).filter((one) => one !== row);
  const before = others.find((one) => {
    const box = one.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
  if (row.parentElement !== list || row.nextElementSibling !== (before ?? null)) list.insertBefore(row, before ?? null);
}
