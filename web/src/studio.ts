import { all, find } from "./lib/dom";
import { guardForms } from "./studio/forms";
import { watch, watchListening, watchPage } from "./studio/pipeline";
import { Queue } from "./studio/queue";

const upload = find("[data-upload]");
if (upload) new Queue(upload).start();

for (const row of all("[data-rows] [data-resource]")) {
  const id = row.dataset["resource"];
  if (id && row.dataset["stage"] === "processing") watch(id, row);
}

const page = find(".edit[data-resource]");
if (page) {
  const changed = guardForms(page);
  watchPage(page, changed);
  watchListening(page, changed);
}
