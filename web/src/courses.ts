import { find } from "./lib/dom";
import { goOn } from "./courses/coming";
import { editContents } from "./courses/contents";
import { keepPlace, showPlace } from "./courses/place";

const lesson = find("[data-lesson][data-of]");
if (lesson) {
  keepPlace(lesson);
  goOn(lesson);
}

const course = find("[data-course]");
if (course) showPlace(course);

const editor = find("[data-course-editor]");
if (editor) editContents(editor);
