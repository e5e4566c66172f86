import { find, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { size } from "../lib/words";
import { dropped } from "./dropped";
import { Item } from "./item";
import { forget, unfinished } from "./resume";

/** More than this at once makes none of them faster on a thin line. */
const at_once = 2;

/** The place to drop files, and the uploads that wait, run and are done. */
export class Queue {
  private readonly list: HTMLElement;
  private readonly endpoint: string;
  private readonly largest: number;
  private waiting: Item[] = [];
  private running = new Set<Item>();

  constructor(private readonly section: HTMLElement) {
    const list = find("[data-uploads]", section);
    if (!list) throw new Error("the studio has no list of uploads");
    this.list = list;
    this.endpoint = section.dataset["upload"] ?? "/api/uploads";
    this.largest = Number(section.dataset["largest"]) || Number.POSITIVE_INFINITY;
  }

  start(): void {
    const files = find<HTMLInputElement>("[data-files]", this.section);
    files?.addEventListener("change", () => {
      this.add([...(files.files ?? [])]);
      files.value = "";
    });
    this.drops();
    addEventListener("beforeunload", (event) => {
      if (this.running.size + this.waiting.length > 0) event.preventDefault();
    });
    void this.remind();
  }

  /** Dropping anywhere on the page uploads; a missed drop must not open the file in the tab. */
  private drops(): void {
    const drop = find("[data-drop]", this.section);
    let depth = 0;
    const over = (by: number) => {
      depth = Math.max(0, depth + by);
      drop?.classList.toggle("over", depth > 0);
    };
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragenter", (event) => carries(event) && over(1));
    document.addEventListener("dragleave", (event) => carries(event) && over(-1));
    document.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      over(-depth);
      if (event.dataTransfer) void dropped(event.dataTransfer).then((files) => this.add(files));
    });
  }

  private add(files: File[]): void {
    for (const file of files) {
      const item = new Item(file, this.library(), this.endpoint, this);
      this.list.querySelector(`[data-unfinished="${CSS.escape(file.name)}"]`)?.remove();
      this.list.append(item.row);
      if (file.size > this.largest) {
        item.refuse(pick(`文件有 ${size(file.size)}，超过了 ${size(this.largest)} 的上限。`, `The file is ${size(file.size)}, over the limit of ${size(this.largest)}.`));
      } else if (file.size === 0) {
        item.refuse(pick("这是一个空文件，或者读不了。", "This file is empty, or cannot be read."));
      } else {
        item.wait();
      }
    }
  }

  join(item: Item): void {
    this.waiting.push(item);
    this.next();
  }

  leave(item: Item): void {
    this.running.delete(item);
    this.waiting = this.waiting.filter((other) => other !== item);
    this.next();
  }

  /** The rows change many times a second; read aloud is only what is told here. */
  tell(says: string): void {
    const log = find("[data-upload-log]", this.section);
    log?.append(make("p", { textContent: says }));
    while (log && log.childElementCount > 5) log.firstElementChild?.remove();
  }

  private library(): string {
    return find<HTMLInputElement | HTMLSelectElement>("[data-library]", this.section)?.value ?? "";
  }

  private next(): void {
    while (this.running.size < at_once) {
      const item = this.waiting.shift();
      if (!item) return;
      if (item.ended) continue;
      this.running.add(item);
      void item.send();
    }
  }

  /** Tells of uploads that a closed tab or a dead battery cut off: the same file goes on from there. */
  private async remind(): Promise<void> {
    for (const { name, bytes, key } of await unfinished()) {
      const row = make("li");
      row.dataset["unfinished"] = name;
      const drop = make("button", { type: "button", className: "text-button", textContent: pick("不传了", "Forget it") });
      drop.addEventListener("click", () => {
        void forget(key);
        row.remove();
      });
      row.append(
        make("span", { className: "upload-name", textContent: name }), make("span", { className: "upload-tools" }, drop),
        make("p", { className: "says", textContent: pick(`上次没有传完（${size(bytes)}）。再选一次这个文件，会从断开的地方接着传。`, `Not finished last time (${size(bytes)}). Choose the file again to go on where it stopped.`) }),
      );
      this.list.append(row);
    }
  }
}
