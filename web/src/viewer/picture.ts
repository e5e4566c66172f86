import { find, make } from "../lib/dom";
import { wanted, wordLayer } from "./words";

/** Lays the words of a picture over it, so that they can be marked and copied. */
export async function layOverPicture(frame: HTMLElement): Promise<void> {
  const image = find<HTMLImageElement>("img", frame);
  const url = frame.dataset["words"];
  if (!image || !url) return;
  const ratio = Number(image.getAttribute("height")) / Number(image.getAttribute("width"));
  const layer = await wordLayer(url, wanted(frame.dataset["query"] ?? ""), ratio);
  if (!layer) return;
  const over = make("div", { className: "over-picture" }, layer);
  frame.append(over);
  const fit = () => {
    // The picture stands in the middle of its box, never larger than it is.
    const width = Math.min(image.clientWidth, image.clientHeight / ratio, Number(image.getAttribute("width")));
    over.style.left = `${image.offsetLeft + (image.clientWidth - width) / 2}px`;
    over.style.top = `${image.offsetTop + (image.clientHeight - width * ratio) / 2}px`;
    over.style.width = `${width}px`;
    over.style.height = `${width * ratio}px`;
    over.style.setProperty("--sheet-width", `${width}px`);
  };
  new ResizeObserver(fit).observe(image);
  fit();
}
