import { readAloud } from "./app/aloud";
import { arrows } from "./app/arrows";
import { closeMenus } from "./app/menus";
import { suggest } from "./app/suggest";
import { themeSwitch } from "./app/theme";
import { all } from "./lib/dom";

themeSwitch();
closeMenus();
readAloud();
for (const input of all<HTMLInputElement>("input[data-suggest]")) suggest(input);
// After the boxes, which keep the arrows while they complete.
arrows();
