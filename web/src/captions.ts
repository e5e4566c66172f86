import "./style/captions.css";
import { Drafts } from "./captions/draft";
import { Editor } from "./captions/editor";
import { Server } from "./captions/saving";
import { find } from "./lib/dom";
import { pick } from "./lib/lang";

const page = find("[data-captions-editor]");
const media = page && find<HTMLMediaElement>("video, audio", page);
if (page && media) void start(page, media);

async function start(page: HTMLElement, media: HTMLMediaElement): Promise<void> {
  const { id = "", name = "", src = "" } = page.dataset;
  const server = new Server(src);
  const work = find("[data-captions-work]", page);
  try {
    new Editor(page, media, server, new Drafts(id, name), await server.read());
  } catch (error) {
    const says = error instanceof Error && error.message !== "" ? error.message : pick("字幕读不出来，请刷新页面再试。", "The captions cannot be read. Reload the page.");
    if (work) work.textContent = says;
  }
}
