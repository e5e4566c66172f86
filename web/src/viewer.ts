import { all } from "./lib/dom";
import { Book } from "./viewer/book";
import { Viewer } from "./viewer/pages";

for (const frame of all("[data-viewer]")) new Viewer(frame).start();
for (const frame of all("[data-book]")) new Book(frame).start();
