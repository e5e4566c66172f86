import { find, make } from "../lib/dom";
import { pick } from "../lib/lang";
import { acceptLanguage } from "../lib/problem";

/** What the server tells of a resource's way; `doing` and `failure` are sentences in the visitor's language. */
interface Progress {
  stage?: string;
  progress?: number;
  doing?: string | null;
  failure?: string | null;
}

const words: Record<string, [zh: string, en: string]> = {
  draft: ["草稿", "Draft"],
  processing: ["处理中", "Processing"],
  ready: ["待发布", "Ready"],
  published: ["已发布", "Published"],
  withdrawn: ["已下架", "Withdrawn"],
  failed: ["未成功", "Failed"],
};

/** A browser has six connections to a server over HTTP/1.1: streams must leave room for uploads. */
const streams_at_once = 2;
const waiting: (() => void)[] = [];
let streams = 0;

/** Keeps the state in `row` up to date until the resource is through. */
export function watch(id: string, row: HTMLElement): void {
  const begin = () => {
    streams += 1;
    follow(id, (progress) => show(row, progress), () => {
      streams -= 1;
      waiting.shift()?.();
    });
  };
  if (streams < streams_at_once) begin();
  else waiting.push(begin);
}

/** On the page of one resource: when it is through, other buttons fit, so the page is loaded anew. */
export function watchPage(page: HTMLElement, changed: () => boolean): void {
  const id = page.dataset["resource"];
  const before = page.dataset["stage"] ?? "";
  if (!id || !["draft", "processing"].includes(before)) return;
  follow(id, (progress) => show(page, progress), () => {
    if (!changed()) location.reload();
    else find(".page-head", page)?.after(make("p", { className: "notice", textContent: pick("处理有了结果。保存修改后可以看到。", "Processing has ended. Save your changes to see the result.") }));
  });
}

function follow(id: string, tell: (progress: Progress) => void, over: () => void): void {
  const url = `/api/resources/${id}/events`;
  let stream = new EventSource(url);
  const end = () => {
    stream.close();
    over();
  };
  const hear = (event: MessageEvent<string>) => {
    const progress = read(event.data);
    if (!progress) return;
    tell(progress);
    if (progress.stage && !["draft", "processing"].includes(progress.stage)) end();
  };
  const listen = () => {
    stream.addEventListener("message", hear);
    stream.addEventListener("progress", hear as EventListener);
    stream.addEventListener("error", () => {
      // The browser connects again by itself, unless the answer was a refusal.
      if (stream.readyState === EventSource.CLOSED) void ask();
    });
  };
  const ask = async () => {
    const answer = await fetch(`/api/resources/${id}`, { headers: { "Accept-Language": acceptLanguage } }).catch(() => null);
    if (answer && [401, 403, 404].includes(answer.status)) return end();
    const progress = answer?.ok ? read(await answer.text()) : null;
    if (progress) {
      tell(progress);
      if (progress.stage && !["draft", "processing"].includes(progress.stage)) return end();
    }
    setTimeout(() => {
      stream = new EventSource(url);
      listen();
    }, 5000);
  };
  listen();
}

function read(text: string): Progress | null {
  try {
    return JSON.parse(text) as Progress;
  } catch {
    return null;
  }
}

/** Shows the progress in a row of the list, of the uploads, or in the page's state. */
function show(row: HTMLElement, { stage, progress, doing, failure }: Progress): void {
  const running = stage === "draft" || stage === "processing";
  if (stage) row.dataset["stage"] = stage;
  const word = find("[data-stage-word]", row);
  if (word && stage) {
    word.dataset["stage"] = stage;
    const [zh, en] = words[stage] ?? [stage, stage];
    word.textContent = pick(zh, en);
  }
  const bar = find("[data-bar], .bar", row);
  if (bar && progress !== undefined) {
    const percent = Math.floor(Math.min(1, Math.max(0, progress)) * 100);
    const meter = find<HTMLProgressElement>("progress", bar);
    const number = find(".number", bar);
    if (meter) meter.value = percent;
    if (number) number.textContent = `${percent}%`;
  }
  if (bar && stage) bar.hidden = !running;
  const line = find("[data-says], .says", row);
  const sentence = sentenceOf(stage, doing, failure, word === null);
  if (line && sentence !== null && line.textContent !== sentence) line.textContent = sentence;
  if (stage === "failed" && row.dataset["state"]) row.dataset["state"] = "refused";
}

/** The server's sentence; rows without a stage's word get the word when there is no sentence. */
function sentenceOf(stage: string | undefined, doing: string | null | undefined, failure: string | null | undefined, bare: boolean): string | null {
  if (stage === "failed" && failure) return failure;
  if (doing) return doing;
  if (!bare || !stage) return doing === undefined ? null : "";
  const [zh, en] = words[stage] ?? [stage, stage];
  return pick(zh, en);
}
