import { all } from "./lib/dom";
import { Book } from "./viewer/book";
import { Viewer } from "./viewer/pages";
import { layOverPicture } from "./viewer/picture";

for (const frame of all("[data-viewer]")) new Viewer(frame).start();
for (const frame of all("[data-book]")) new Book(frame).start();
for (const frame of all("[data-picture]")) void layOverPicture(frame).catch(() => 0);
