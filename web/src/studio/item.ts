import { DetailedError, Upload } from "tus-js-client";
import { csrf, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { acceptLanguage, refusal } from "../lib/problem";
import { left, size } from "../lib/words";
import { watch } from "./pipeline";
import { fingerprint } from "./resume";
import { Speed } from "./speed";

const chunk_bytes = 8 * 1024 * 1024;
/** Pauses between tries, ms; a bad line is tried for about ten minutes. */
const pauses = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 60_000, 120_000, 120_000, 180_000];

/** What an item asks of the queue it stands in. */
interface Line {
  /** Puts it at the end. */
  join(item: Item): void;
  /** Lets the next one go. */
  leave(item: Item): void;
  /** Says something to those who do not see the rows. */
  tell(says: string): void;
}

/** One file on its way: a row with name, bar, speed and what is left, then the pipeline's progress. */
export class Item {
  readonly row = make("li");
  ended = false;
  private readonly bar = make("progress", { max: 100, value: 0 });
  private readonly percent = make("span", { className: "number", textContent: "0%" });
  private readonly says = make("p", { className: "says" });
  private readonly tools = make("span", { className: "upload-tools" });
  private readonly speed = new Speed();
  private upload: Upload | null = null;

  constructor(
    private readonly file: File,
    private readonly library: string,
    private readonly endpoint: string,
    private readonly line: Line,
  ) {
    this.bar.setAttribute("aria-label", file.name);
    const name = make("span", { className: "upload-name", textContent: file.name });
    const bar = make("div", { className: "bar" }, this.bar, this.percent);
    this.row.append(name, this.tools, bar, this.says);
  }

  /** Stands in the queue. */
  wait(): void {
    this.ended = false;
    this.state("waiting", pick("等待上传", "Waiting"));
    this.offer(pick("取消", "Cancel"), () => void this.cancel());
    this.line.join(this);
  }

  /** Sends the file, going on where an earlier try stopped. */
  async send(): Promise<void> {
    this.state("sending", pick("正在连接", "Connecting"));
    this.tell(pick("开始上传", "Uploading"));
    if (!(await this.readable())) return;
    const upload = this.make();
    this.upload = upload;
    const earlier = await upload.findPreviousUploads().catch(() => []);
    if (earlier[0]) upload.resumeFromPreviousUpload(earlier[0]);
    if (!this.ended) upload.start();
  }

  /** Shows why the file is not taken. */
  refuse(why: string): void {
    this.ended = true;
    this.state("refused", why);
    this.tell(why);
    this.tools.replaceChildren();
    this.line.leave(this);
  }

  /** Refuses what the browser cannot read, which fails just as a dead line does: folders, files gone or changed. */
  private async readable(): Promise<boolean> {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      if (this.ended) return false;
      void this.upload?.abort();
      this.refuse(pick("浏览器读不了这个文件：可能改动过、移走了，或者是文件夹。请重新选择。", "The browser cannot read this file: it was changed or moved, or is a folder. Please choose it again."));
      return false;
    }
    return true;
  }

  private tell(says: string): void {
    this.line.tell(`${this.file.name}${pick("：", ": ")}${says}`);
  }

  private make(): Upload {
    const headers: Record<string, string> = { "Accept-Language": acceptLanguage };
    if (csrf() !== "") headers["X-Csrf-Token"] = csrf();
    return new Upload(this.file, {
      endpoint: this.endpoint,
      headers,
      chunkSize: chunk_bytes,
      retryDelays: pauses,
      metadata: { filename: this.file.name, filetype: this.file.type, library: this.library },
      fingerprint: () => Promise.resolve(fingerprint(this.file, this.library)),
      removeFingerprintOnSuccess: true,
      onProgress: (sent, total) => this.progress(sent, total),
      onShouldRetry: (error) => this.retry(error),
      onError: (error) => this.failed(error),
      onSuccess: () => void this.sent(),
    });
  }

  private progress(sent: number, total: number): void {
    this.speed.note(sent);
    const percent = Math.floor((sent / Math.max(1, total)) * 100);
    this.bar.value = percent;
    this.percent.textContent = `${percent}%`;
    const rate = this.speed.bytesPerSecond();
    const parts = [`${size(sent)} / ${size(total)}`];
    if (sent >= total) parts.push(pick("正在核对", "being checked"));
    else if (rate > 0) parts.push(`${size(rate)}/s`, left((total - sent) / rate));
    this.state("sending", parts.join(" · "));
  }

  private retry(error: Error | DetailedError): boolean {
    const status = statusOf(error);
    const again = passing(status) && status !== 507;
    if (again) this.state("sending", pick("线路断了，正在重试……", "The line is down, trying again…"));
    if (status === 0) void this.readable();
    return again;
  }

  private failed(error: Error | DetailedError): void {
    const body = error instanceof DetailedError ? (error.originalResponse?.getBody() ?? "") : "";
    const status = statusOf(error);
    this.refuse(refusal(status, body));
    if (passing(status) || status === 401) this.offer(pick("再试", "Try again"), () => this.wait());
  }

  private async sent(): Promise<void> {
    this.ended = true;
    this.bar.value = 100;
    this.percent.textContent = "100%";
    this.tools.replaceChildren();
    this.state("sent", pick("已传完，正在准备处理", "Sent; about to be processed"));
    this.tell(pick("已传完", "uploaded"));
    this.line.leave(this);
    const id = await this.resource();
    if (id === null) return;
    const all = make("a", { className: "text-button", href: `/studio/resources/${id}`, textContent: pick("编辑", "Edit") });
    const short = make("a", { className: "button", href: `/studio/resources/${id}/short`, textContent: pick("填写说明", "Describe it") });
    short.dataset["short"] = "";
    this.tools.replaceChildren(all, short);
    this.row.dataset["resource"] = id;
    watch(id, this.row);
  }

  /** The resource that the upload became; asked for some seconds, since it is made after the last byte. */
  private async resource(): Promise<string | null> {
    const url = this.upload?.url;
    for (let tries = 0; tries < 20 && url; tries += 1) {
      const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
      const body = answer?.ok ? ((await answer.json().catch(() => null)) as { resource?: unknown } | null) : null;
      if (typeof body?.resource === "string") return body.resource;
      await new Promise((wake) => setTimeout(wake, 250 + tries * 150));
    }
    return null;
  }

  private async cancel(): Promise<void> {
    this.ended = true;
    await this.upload?.abort(true).catch(() => undefined);
    this.row.remove();
    this.line.leave(this);
  }

  private offer(label: string, act: () => void): void {
    const button = make("button", { type: "button", className: "text-button", textContent: label });
    button.setAttribute("aria-label", `${label} ${this.file.name}`);
    button.addEventListener("click", () => {
      button.disabled = true;
      act();
    });
    this.tools.replaceChildren(button);
  }

  private state(state: string, says: string): void {
    this.row.dataset["state"] = state;
    if (this.says.textContent !== says) this.says.textContent = says;
  }
}

/** Not refused for good, as a kind or a size is: the line, the server, another try that still runs. */
function passing(status: number): boolean {
  return status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
}

function statusOf(error: Error | DetailedError): number {
  return error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0;
}
