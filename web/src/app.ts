import { closeMenus } from "./app/menus";
import { suggest } from "./app/suggest";
import { themeSwitch } from "./app/theme";
import { all } from "./lib/dom";

themeSwitch();
closeMenus();
for (const input of all<HTMLInputElement>("input[data-suggest]")) suggest(input);
