import { chinese, pick } from "./lang";

/** RFC 9457 problem details, as far as they are shown. */
interface Problem {
  title?: unknown;
  detail?: unknown;
}

/** The language that the server's sentences are asked for in. */
export const acceptLanguage = chinese ? "zh-CN" : "en";

/** The sentence in a problem+json body, or one made of the status; 0 stands for no answer at all. */
export function refusal(status: number, body: string): string {
  try {
    const problem = JSON.parse(body) as Problem;
    const text = [problem.detail, problem.title].find((part) => typeof part === "string" && part !== "");
    if (typeof text === "string") return text;
  } catch {
    // Not JSON: fall through to the status.
  }
  switch (status) {
    case 0:
      return pick("网络断了，恢复后会接着来。", "The line is down; this goes on when it is back.");
    case 401:
      return pick("登录已过期，请重新登录。", "You are no longer signed in. Please sign in again.");
    case 403:
      return pick("没有这个权限。", "You are not allowed to do this.");
    case 404:
      return pick("找不到了，可能已经被删除。", "It cannot be found; it may have been deleted.");
    case 413:
      return pick("文件太大，超出了限额。", "The file is over the limit.");
    case 415:
      return pick("不支持这种文件。", "This kind of file is not taken.");
    case 507:
      return pick("资源库的空间已用完。", "The library has no space left.");
    default:
      return pick(`服务器没有办成（${status}）。`, `The server could not do it (${status}).`);
  }
}
