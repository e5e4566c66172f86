import { all, find } from "../lib/dom";
import { chinese } from "../lib/lang";

/** Signs that are said at once: some browsers fall silent in the midst of what takes longer than 15 s. */
const most_signs = 100;

/** What is read: titles, what is told, and the text of the page that is shown. */
const told = "h1, h2, h3, .lead, .tagline, .prose p, .library-notice p, .notice, .library-says, .empty p, .words, .snippet";

/** The button that reads the page aloud; hidden where the browser has no voice for its language. */
export function readAloud(): void {
  const button = find<HTMLButtonElement>("[data-aloud]");
  if (!button || !("speechSynthesis" in window)) return;
  const engine = window.speechSynthesis;
  const offer = () => {
    button.hidden = !voice(engine);
  };
  offer();
  engine.addEventListener?.("voiceschanged", offer);
  const reader = new Reader(engine, button);
  button.addEventListener("click", () => reader.toggle());
  addEventListener("pagehide", () => reader.stop());
}

/** A voice for the language of the page; one that is on the device first. */
function voice(engine: SpeechSynthesis): SpeechSynthesisVoice | undefined {
  const fits = (one: SpeechSynthesisVoice) => {
    const tag = one.lang.replace("_", "-").toLowerCase();
    return chinese ? /^(zh-cn|zh-hans|cmn)/.test(tag) || tag === "zh" : tag.startsWith("en");
  };
  const voices = engine.getVoices().filter(fits);
  return voices.find((one) => one.localService) ?? voices[0];
}

class Reader {
  /** What is left to say; null while nothing is read. */
  private left: string[] | null = null;
  private readonly label: HTMLElement | null;
  private readonly start_word: string;

  constructor(private readonly engine: SpeechSynthesis, private readonly button: HTMLButtonElement) {
    this.label = find("span", button);
    this.start_word = this.label?.textContent ?? "";
  }

  toggle(): void {
    if (this.left) {
      this.stop();
      return;
    }
    // A player would talk at the same time.
    for (const media of all<HTMLMediaElement>("video, audio")) media.pause();
    this.engine.cancel();
    this.left = sentences(text());
    this.show();
    this.next();
  }

  stop(): void {
    this.left = null;
    this.engine.cancel();
    this.show();
  }

  private next(): void {
    const sentence = this.left?.shift();
    if (sentence === undefined) {
      this.stop();
      return;
    }
    const said = new SpeechSynthesisUtterance(sentence);
    const chosen = voice(this.engine);
    said.lang = chosen?.lang ?? document.documentElement.lang;
    said.voice = chosen ?? null;
    said.rate = 0.9;
    const of = this.left;
    const on = () => {
      if (this.left === of) this.next();
    };
    said.addEventListener("end", on);
    said.addEventListener("error", () => {
      if (this.left === of) this.stop();
    });
    this.engine.speak(said);
  }

  private show(): void {
    const reading = this.left !== null;
    this.button.setAttribute("aria-pressed", String(reading));
    if (this.label) this.label.textContent = reading ? (this.button.dataset["stop"] ?? "") : this.start_word;
  }
}

/** What the page says, in its order; of a book the chapter that is open. */
function text(): string[] {
  const main = find("main");
  if (!main) return [];
  const said = all(told, main).filter((part) => part.offsetParent !== null && !part.closest("[aria-hidden=true], .unseen, nav"));
  const chapter = find<HTMLIFrameElement>("iframe[data-book-page]", main)?.contentDocument?.querySelector("main");
  return [...said, ...(chapter ? [chapter as HTMLElement] : [])].map((part) =>
    // On a page each line is by itself; what goes on in the next one is one sentence.
    part.matches(".words") ? (part.textContent ?? "").replace(/([\u3000-\u9fff\uff00-\uffef])\s+/g, "$1") : part.innerText);
}

/** Texts cut at marks of punctuation into what is said at once. */
export function sentences(texts: string[]): string[] {
  return texts.flatMap((whole) => {
    // Without looking behind, which Safari 14 cannot.
    const pieces: string[] = whole.match(/[^。！？；!?;\n]+[。！？；!?;\n]*/gu) ?? [];
    return pieces.flatMap((piece) => {
      const signs = [...piece.trim()];
      const cut: string[] = [];
      for (let at = 0; at < signs.length; at += most_signs) cut.push(signs.slice(at, at + most_signs).join(""));
      return cut;
    });
  });
}
