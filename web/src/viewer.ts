import { all } from "./lib/dom";
import { Viewer } from "./viewer/pages";

for (const frame of all("[data-viewer]")) new Viewer(frame).start();
