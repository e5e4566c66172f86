import { find, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { buttons, type Command, findPanel, keyList, listen, shiftPanel } from "./bar";
import { type Cue, type Cues, changed, inserted, isWhole, joined, removed, replaced, same, shifted, shownAt, split, subrip, webvtt } from "./cues";
import { Drafts } from "./draft";
import { History } from "./history";
import { List } from "./list";
import type { Server, Track } from "./saving";

/** The draft is kept when nothing was typed for so long, ms. */
const rest_ms = 800;

/** The page on which captions are edited beside what they belong to. */
export class Editor {
  private readonly history: History;
  private readonly list: List;
  private readonly panels: { find: HTMLElement; shift: HTMLElement };
  private readonly state = make("span", { className: "captions-state" });
  private readonly notices = make("div", { className: "captions-notices" });
  private readonly refreshers: (() => void)[] = [];
  private saved: Cues;
  private tag: string;
  private sending = false;
  private timer = 0;

  constructor(
    private readonly page: HTMLElement,
    private readonly media: HTMLMediaElement,
    private readonly server: Server,
    private readonly drafts: Drafts,
    track: Track,
  ) {
    this.saved = track.cues;
    this.tag = track.tag;
    this.history = new History(track.cues);
    const rows = make("ol", { className: "cues-edited" });
    rows.setAttribute("aria-label", pick("字幕列表", "Cues"));
    this.list = new List(rows, {
      choose: (id) => this.choose(id, true),
      text: (id, text) => this.change(changed(this.cues, id, { text }), id, `text ${id}`),
      time: (id, which, ms) => this.change(changed(this.cues, id, { [which]: ms }), id),
      take: (which) => this.take(which),
    });
    this.panels = {
      find: findPanel((wanted) => this.find(wanted), (wanted, other) => this.replace(wanted, other)),
      shift: shiftPanel((seconds, only) => this.change(shifted(this.cues, seconds * 1000, only ? this.history.chosen : null), this.history.chosen)),
    };
    const keys = this.build(rows);
    listen(keys);
    this.restore();
    this.follow();
    addEventListener("beforeunload", (event) => {
      if (this.dirty) event.preventDefault();
    });
    addEventListener("pagehide", () => this.keepDraft());
    this.show();
  }

  private get cues(): Cues {
    return this.history.cues;
  }

  private get chosen(): Cue | undefined {
    return this.cues.find(({ id }) => id === this.history.chosen);
  }

  private get dirty(): boolean {
    return !same(this.cues, this.saved);
  }

  private get now_ms(): number {
    return Math.round(this.media.currentTime * 1000);
  }

  /** Puts everything into the page; answers what has keys. */
  private build(rows: HTMLElement): Command[] {
    const has = () => this.chosen !== undefined;
    const playing: Command[] = [
      { label: pick("播放／暂停", "Play or pause"), keys: "Alt+P", run: () => void this.toggle() },
      { label: pick("后退一秒", "Back 1 s"), keys: "Alt+,", run: () => this.seek(this.now_ms - 1000) },
      { label: pick("前进一秒", "On 1 s"), keys: "Alt+.", run: () => this.seek(this.now_ms + 1000) },
      { label: pick("设为开始", "Set start"), keys: "Alt+[", run: () => this.take("start"), can: has },
      { label: pick("设为结束", "Set end"), keys: "Alt+]", run: () => this.take("end"), can: has },
    ];
    const editing: Command[] = [
      { label: pick("插入", "Insert"), keys: "Alt+I", run: () => this.insert() },
      { label: pick("拆分", "Split"), keys: "Alt+Enter", run: () => this.split(), can: has },
      { label: pick("并入下一条", "Join next"), keys: "Alt+J", run: () => this.join(), can: has },
      { label: pick("删除", "Delete"), keys: "Alt+Backspace", run: () => this.remove(), can: has },
      { label: pick("撤销", "Undo"), keys: "Ctrl+Z", run: () => this.step(this.history.undo()), can: () => this.history.undoable },
      { label: pick("重做", "Redo"), keys: "Ctrl+Shift+Z", run: () => this.step(this.history.redo()), can: () => this.history.redoable },
      { label: pick("查找替换", "Find"), keys: "Alt+F", run: () => this.toggle_panel("find") },
      { label: pick("平移时间", "Shift"), keys: "", run: () => this.toggle_panel("shift") },
    ];
    const moving: Command[] = [
      { label: pick("上一条", "Cue before"), keys: "Alt+↑", run: () => this.walk(-1) },
      { label: pick("下一条", "Next cue"), keys: "Alt+↓", run: () => this.walk(1) },
      { label: pick("保存", "Save"), keys: "Ctrl+S", run: () => void this.save() },
    ];
    const [beside, above] = [buttons(pick("播放", "Playing"), playing), buttons(pick("编辑", "Editing"), editing)];
    const save = make("button", { type: "button", className: "button", textContent: pick("保存", "Save") });
    save.addEventListener("click", () => void this.save());
    this.refreshers.push(beside.refresh, above.refresh, () => (save.disabled = this.sending || !this.dirty));
    this.state.setAttribute("role", "status");
    find("[data-captions-tools]", this.page)?.append(beside.bar, keyList([...playing, ...moving, ...editing]));
    const end = make("div", { className: "captions-end" }, save, this.state, ...this.files());
    find("[data-captions-work]", this.page)?.replaceChildren(this.notices, above.bar, this.panels.find, this.panels.shift, rows, end);
    return [...playing, ...moving, ...editing];
  }

  /** Downloading, uploading, removing. */
  private files(): HTMLElement[] {
    const download = (label: string, ending: string, text: () => string) => {
      const button = make("button", { type: "button", className: "text-button", textContent: label });
      button.addEventListener("click", () => {
        const address = URL.createObjectURL(new Blob([text()], { type: "text/plain;charset=utf-8" }));
        make("a", { href: address, download: `${this.page.dataset["title"] ?? "captions"}.${this.page.dataset["language"] ?? "zh"}.${ending}` }).click();
        setTimeout(() => URL.revokeObjectURL(address), 10_000);
      });
      return button;
    };
    const input = make("input", { type: "file", accept: ".srt,.vtt,.ass,.ssa", className: "unseen" });
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.send(file, file.name).finally(() => (input.value = ""));
    });
    const upload = make("label", { className: "text-button file-button" }, input, pick("上传文件替换", "Upload a file"));
    const remove = make("button", { type: "button", className: "text-button", textContent: pick("删除整条字幕轨", "Delete the track") });
    remove.addEventListener("click", () => this.ask(pick("删除后观众就看不到这条字幕了。", "Nobody will see these captions any more."), [
      [pick("确定删除", "Delete"), () => void this.removeTrack()],
      [pick("不删", "Keep"), () => undefined],
    ]));
    this.refreshers.push(() => (remove.hidden = this.tag === ""));
    return [download(pick("下载 .vtt", "Get .vtt"), "vtt", () => webvtt(this.cues)), download(pick("下载 .srt", "Get .srt"), "srt", () => subrip(this.cues)), upload, remove];
  }

  /** Takes the draft up again that was not saved. */
  private restore(): void {
    const draft = this.drafts.read();
    if (!draft) return;
    if (same(draft.cues, this.saved)) {
      this.drafts.drop();
      return;
    }
    // Written over other captions: saving will say so.
    this.tag = draft.tag;
    this.history.change(draft.cues, null);
    const when = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
    this.ask(pick(`已恢复 ${when} 没有保存的修改。`, `What was not saved on ${when} is here again.`), [
      [pick("放弃这些修改", "Drop it"), () => void this.reload()],
    ]);
  }

  private follow(): void {
    const heard = find("[data-captions-now]", this.page);
    const mark = () => {
      const cue = this.cues[shownAt(this.cues, this.now_ms)];
      this.list.mark(cue?.id ?? null, !this.media.paused);
      if (heard) heard.textContent = (cue?.text ?? "").replace(/<[^>]*>/g, "");
    };
    for (const event of ["timeupdate", "seeked"]) this.media.addEventListener(event, mark);
    this.refreshers.push(mark);
  }

  private show(): void {
    this.list.show(this.cues, this.history.chosen);
    this.refreshers.forEach((refresh) => refresh());
    if (!this.sending) this.tell(this.dirty ? pick("有修改未保存（草稿已留在本机）", "Not saved; a draft is kept here") : pick("没有未保存的修改", "All is saved"));
  }

  private change(cues: Cues, chosen: number | null, key = ""): void {
    this.history.change(cues, chosen, key);
    this.show();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.keepDraft(), rest_ms);
  }

  private keepDraft(): void {
    clearTimeout(this.timer);
    if (this.dirty) this.drafts.keep(this.tag, this.cues);
    else this.drafts.drop();
  }

  private choose(id: number, seek: boolean, caret: number | null = null): void {
    this.history.chosen = id;
    this.show();
    const cue = this.chosen;
    if (cue && seek && (this.now_ms < cue.start || this.now_ms >= cue.end)) this.seek(cue.start);
    // On a phone the keyboard would cover what was just tapped.
    if (!matchMedia("(pointer: coarse)").matches || caret !== null) this.list.focus(caret);
  }

  private walk(by: number): void {
    const at = this.cues.findIndex(({ id }) => id === this.history.chosen);
    const from = at >= 0 ? at : shownAt(this.cues, this.now_ms);
    const next = this.cues[Math.min(this.cues.length - 1, Math.max(0, from + by))];
    if (!next) return;
    this.choose(next.id, true, 0);
    this.list.reveal();
  }

  private step(moved: boolean): void {
    if (!moved) return;
    this.show();
    this.keepDraft();
  }

  private take(which: "start" | "end"): void {
    const cue = this.chosen;
    if (cue) this.change(changed(this.cues, cue.id, { [which]: this.now_ms }), cue.id);
  }

  private insert(): void {
    const { cues, made } = inserted(this.cues, this.now_ms);
    this.change(cues, made.id);
    this.list.focus(0);
    this.list.reveal();
  }

  private split(): void {
    const cue = this.chosen;
    if (!cue) return;
    const caret = this.list.caret();
    const inside = this.now_ms > cue.start && this.now_ms < cue.end;
    const share = inside ? (this.now_ms - cue.start) / (cue.end - cue.start) : 0.5;
    // At a caret in the middle of the text; else where the media are.
    const set = caret !== null && caret > 0 && caret < cue.text.length;
    const parts = split(this.cues, cue.id, set ? caret : Math.round(cue.text.length * share), inside ? this.now_ms : null);
    if (!parts) return;
    this.change(parts.cues, parts.second.id);
    this.list.focus(0);
  }

  private join(): void {
    const cues = this.history.chosen === null ? null : joined(this.cues, this.history.chosen);
    if (cues) this.change(cues, this.history.chosen);
  }

  private remove(): void {
    const at = this.cues.findIndex(({ id }) => id === this.history.chosen);
    const cue = this.cues[at];
    if (!cue) return;
    const neighbour = this.cues[at + 1] ?? this.cues[at - 1];
    this.change(removed(this.cues, cue.id), neighbour?.id ?? null);
    if (neighbour) this.list.focus(0);
  }

  /** Goes to the next cue with `wanted` after the chosen one. */
  private find(wanted: string): boolean {
    if (wanted === "") return false;
    const from = this.cues.findIndex(({ id }) => id === this.history.chosen) + 1;
    const order = [...this.cues.slice(from), ...this.cues.slice(0, from)];
    const next = order.find(({ text }) => text.toLowerCase().includes(wanted.toLowerCase()));
    if (!next) return false;
    this.history.chosen = next.id;
    this.seek(next.start);
    this.show();
    this.list.reveal();
    return true;
  }

  private replace(wanted: string, other: string): number {
    const { cues, count } = replaced(this.cues, wanted, other);
    if (count > 0) this.change(cues, this.history.chosen);
    return count;
  }

  private toggle_panel(which: "find" | "shift"): void {
    for (const [name, panel] of Object.entries(this.panels)) panel.hidden = name !== which || !panel.hidden;
    const panel = this.panels[which];
    if (!panel.hidden) panel.querySelector("input")?.focus();
  }

  private async toggle(): Promise<void> {
    if (this.media.paused) await this.media.play().catch(() => undefined);
    else this.media.pause();
  }

  private seek(ms: number): void {
    this.media.currentTime = Math.max(0, ms / 1000);
  }

  private async save(): Promise<void> {
    if (this.sending || !this.dirty) return;
    if (!this.cues.some(isWhole)) {
      this.tell(pick("没有一条时间和文字都完整的字幕，不能保存。", "No cue has both times and text, so there is nothing to save."), true);
      return;
    }
    await this.send(new Blob([webvtt(this.cues)]), "captions.vtt");
  }

  /** Sends a file; one of another form is read back as the server understood it. */
  private async send(file: Blob, name: string): Promise<void> {
    const before = this.cues;
    this.sending = true;
    this.tell(pick("正在保存……", "Saving…"));
    this.refreshers.forEach((refresh) => refresh());
    const sent = await this.server.save(file, this.tag, name);
    this.sending = false;
    if (sent.saved) {
      this.notices.replaceChildren();
      this.tag = sent.tag;
      this.saved = before;
      if (name !== "captions.vtt") await this.reload();
      this.keepDraft();
      this.show();
      if (!this.dirty) this.tell(pick("已保存", "Saved"));
      return;
    }
    this.show();
    this.tell(sent.says, true);
    if (sent.conflict) this.settle(file, name);
  }

  /** Somebody else saved meanwhile: whose captions are to stay? */
  private settle(file: Blob, name: string): void {
    this.ask(pick("您编辑的时候，别人保存了新的字幕。要留下哪一份？", "Somebody saved other captions while you were editing. Which are to stay?"), [
      [pick("用我的覆盖", "Mine"), () => void this.server.read().then(({ tag }) => {
        this.tag = tag;
        return this.send(file, name);
      })],
      [pick("载入对方的（可撤销）", "Theirs (can be undone)"), () => void this.reload()],
    ]);
  }

  /** Takes what the server has; what was here can be had back by undoing. */
  private async reload(): Promise<void> {
    try {
      const track = await this.server.read();
      this.saved = track.cues;
      this.tag = track.tag;
      this.history.change(track.cues, null);
      this.keepDraft();
      this.show();
    } catch (error) {
      this.tell(String(error instanceof Error ? error.message : error), true);
    }
  }

  private async removeTrack(): Promise<void> {
    const refused = await this.server.remove();
    if (refused !== "") {
      this.tell(refused, true);
      return;
    }
    this.saved = this.cues;
    this.drafts.drop();
    location.assign(this.page.dataset["back"] ?? "/studio");
  }

  private tell(says: string, bad = false): void {
    if (this.state.textContent !== says) this.state.textContent = says;
    this.state.classList.toggle("bad", bad);
  }

  /** A sentence with some answers to it. */
  private ask(says: string, answers: [label: string, run: () => void][]): void {
    const notice = make("div", { className: "notice" }, make("span", { textContent: says }));
    notice.setAttribute("role", "alert");
    for (const [label, run] of answers) {
      const button = make("button", { type: "button", className: "text-button", textContent: label });
      button.addEventListener("click", () => {
        notice.remove();
        run();
      });
      notice.append(button);
    }
    this.notices.replaceChildren(notice);
  }
}
