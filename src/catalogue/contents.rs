//! What is in a course: sections, and lessons in their order.

use super::resource::tidy;
use super::{LessonId, ResourceId, RuleError};

/// The most characters of the title of a section or lesson.
const MAX_TITLE: usize = 200;

/// The sections of a course: at least one, and only the first may have no title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    sections: Vec<Section>,
}

/// A part of a course.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// Its lessons, in their order.
    pub lessons: Vec<Lesson>,
}

/// A resource in its place in a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// Its id.
    pub id: LessonId,
    /// What is learned from.
    pub resource: ResourceId,
    /// Its own title; empty: that of the resource.
    pub title: String,
    /// Title of the resource when it was taken in.
    pub was: String,
}

/// Which way something is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Towards the beginning.
    Up,
    /// Towards the end.
    Down,
}

impl Default for Contents {
    fn default() -> Self {
        Self { sections: vec![Section::default()] }
    }
}

impl Contents {
    /// These sections, their titles trimmed; `most` lessons and sections at most.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for a title that cannot be kept, a lesson that is there twice, or
    /// too many of them.
    pub fn of(mut sections: Vec<Section>, most: usize) -> Result<Self, RuleError> {
        if sections.is_empty() {
            sections.push(Section::default());
        }
        for (number, section) in sections.iter_mut().enumerate() {
            section.title = tidy("sections", &section.title, MAX_TITLE)?;
            if number > 0 && section.title.is_empty() {
                return Err(RuleError::BadField { field: "sections", value: String::new() });
            }
            for lesson in &mut section.lessons {
                lesson.title = tidy("lessons", &lesson.title, MAX_TITLE)?;
            }
        }
        let contents = Self { sections };
        let count = contents.lessons().count();
        if count > most || contents.sections.len() > most {
            return Err(RuleError::BadField { field: "lessons", value: count.to_string() });
        }
        let mut ids: Vec<LessonId> = contents.lessons().map(|(_, lesson)| lesson.id).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(RuleError::BadField { field: "lessons", value: pair[0].to_string() }),
            None => Ok(contents),
        }
    }

    /// The sections.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The sections, to be put into another order.
    #[must_use]
    pub fn into_sections(self) -> Vec<Section> {
        self.sections
    }

    /// The lessons with the numbers of their sections, through the whole course.
    pub fn lessons(&self) -> impl Iterator<Item = (usize, &Lesson)> {
        let with = |(number, section): (usize, &'_ Section)| (number, section.lessons.len());
        let numbers = self.sections.iter().enumerate().map(with);
        let numbers = numbers.flat_map(|(number, count)| std::iter::repeat_n(number, count));
        numbers.zip(self.sections.iter().flat_map(|section| &section.lessons))
    }

    /// Moves a lesson by one place; over the edge of its section into the next one.
    pub fn shift(&mut self, id: LessonId, way: Way) {
        let Some((section, at)) = self.place_of(id) else { return };
        let last = self.sections.len() - 1;
        let lessons = &mut self.sections[section].lessons;
        match way {
            Way::Up if at > 0 => lessons.swap(at, at - 1),
            Way::Down if at + 1 < lessons.len() => lessons.swap(at, at + 1),
            Way::Up if section > 0 => {
                let lesson = lessons.remove(at);
                self.sections[section - 1].lessons.push(lesson);
            }
            Way::Down if section < last => {
                let lesson = lessons.remove(at);
                self.sections[section + 1].lessons.insert(0, lesson);
            }
            _ => {}
        }
    }

    /// Puts a lesson into the section of this number, in front of the lesson `before`, else at its end.
    pub fn put(&mut self, id: LessonId, section: usize, before: Option<LessonId>) {
        if before == Some(id) || section >= self.sections.len() {
            return;
        }
        let Some(lesson) = self.take(id) else { return };
        let lessons = &mut self.sections[section].lessons;
        let at = before.and_then(|before| lessons.iter().position(|other| other.id == before));
        lessons.insert(at.unwrap_or(lessons.len()), lesson);
    }

    /// Takes a lesson out.
    pub fn take(&mut self, id: LessonId) -> Option<Lesson> {
        let (section, at) = self.place_of(id)?;
        Some(self.sections[section].lessons.remove(at))
    }

    /// Adds a lesson at the end of the section of this number, else of the last.
    pub fn add(&mut self, section: usize, lesson: Lesson) {
        let last = self.sections.len() - 1;
        self.sections[section.min(last)].lessons.push(lesson);
    }

    /// Gives a lesson its own title, or none.
    pub fn rename(&mut self, id: LessonId, title: &str) {
        if let Some((section, at)) = self.place_of(id) {
            title.clone_into(&mut self.sections[section].lessons[at].title);
        }
    }

    /// Adds a section at the end.
    pub fn add_section(&mut self, title: &str) {
        self.sections.push(Section { title: title.to_owned(), lessons: Vec::new() });
    }

    /// Gives the section of this number another title.
    pub fn rename_section(&mut self, number: usize, title: &str) {
        if let Some(section) = self.sections.get_mut(number) {
            title.clone_into(&mut section.title);
        }
    }

    /// Moves a section by one place. The first stays first when it has no title.
    pub fn shift_section(&mut self, number: usize, way: Way) {
        let other = match way {
            Way::Up => number.checked_sub(1),
            Way::Down => Some(number + 1),
        };
        let Some(other) = other.filter(|other| (*other).max(number) < self.sections.len()) else {
            return;
        };
        if number.min(other) > 0 || !self.sections[0].title.is_empty() {
            self.sections.swap(number, other);
        }
    }

    /// Removes a section; its lessons go to the one before, of the first to the one that follows.
    pub fn remove_section(&mut self, number: usize) {
        if number >= self.sections.len() {
            return;
        }
        if self.sections.len() == 1 {
            self.sections[0].title.clear();
            return;
        }
        let lessons = self.sections.remove(number).lessons;
        match number.checked_sub(1) {
            Some(before) => self.sections[before].lessons.extend(lessons),
            None => {
                self.sections[0].lessons.splice(0..0, lessons);
            }
        }
    }

    fn place_of(&self, id: LessonId) -> Option<(usize, usize)> {
        self.sections.iter().enumerate().find_map(|(number, section)| {
            Some((number, section.lessons.iter().position(|lesson| lesson.id == id)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lesson() -> Lesson {
        Lesson {
            id: LessonId::fresh(),
            resource: ResourceId::fresh(),
            title: String::new(),
            was: "剪纸".into(),
        }
    }

    /// Two sections of two and one lessons.
    fn contents() -> (Contents, [LessonId; 3]) {
        let lessons = [lesson(), lesson(), lesson()];
        let ids = lessons.clone().map(|lesson| lesson.id);
        let [a, b, c] = lessons;
        let sections = vec![
            Section { title: String::new(), lessons: vec![a, b] },
            Section { title: "第二单元".into(), lessons: vec![c] },
        ];
        (Contents::of(sections, 10).expect("within limits"), ids)
    }

    fn order(contents: &Contents) -> Vec<(usize, LessonId)> {
        contents.lessons().map(|(section, lesson)| (section, lesson.id)).collect()
    }

    #[test]
    fn lessons_move_over_the_edges_of_sections() {
        let (mut contents, [a, b, c]) = contents();
        contents.shift(b, Way::Down);
        assert_eq!(order(&contents), [(0, a), (1, b), (1, c)]);
        contents.shift(b, Way::Down);
        assert_eq!(order(&contents), [(0, a), (1, c), (1, b)]);
        contents.shift(c, Way::Up);
        assert_eq!(order(&contents), [(0, a), (0, c), (1, b)]);
        contents.shift(a, Way::Up);
        contents.put(b, 0, Some(a));
        assert_eq!(order(&contents), [(0, b), (0, a), (0, c)]);
        contents.put(b, 1, Some(a));
        assert_eq!(order(&contents), [(0, a), (0, c), (1, b)]);
    }

    #[test]
    fn no_lesson_goes_with_its_section() {
        let (mut contents, [a, b, c]) = contents();
        contents.remove_section(0);
        assert_eq!(order(&contents), [(0, a), (0, b), (0, c)]);
        contents.add_section("再来");
        contents.put(c, 1, None);
        contents.remove_section(1);
        assert_eq!(order(&contents), [(0, a), (0, b), (0, c)]);
        contents.remove_section(0);
        assert_eq!(contents.sections().len(), 1);
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let one = lesson();
        let twice = Section { title: String::new(), lessons: vec![one.clone(), one] };
        assert!(Contents::of(vec![twice], 10).is_err());
        assert!(Contents::of(vec![Section::default(), Section::default()], 10).is_err());
        let (contents, _) = contents();
        assert!(Contents::of(contents.into_sections(), 2).is_err());
        assert_eq!(Contents::of(Vec::new(), 10), Ok(Contents::default()));
    }

    proptest! {
        #[test]
        fn whatever_is_moved_all_lessons_stay(moves in proptest::collection::vec((0..6_u8, 0..4_usize, 0..4_usize), 0..40)) {
            let (mut contents, ids) = contents();
            for (what, one, other) in moves {
                let id = ids[one % 3];
                match what {
                    0 => contents.shift(id, Way::Up),
                    1 => contents.shift(id, Way::Down),
                    2 => contents.put(id, other, ids.get(one).copied()),
                    3 => contents.add_section("x"),
                    4 => contents.remove_section(other),
                    _ => contents.shift_section(other, Way::Up),
                }
                let mut left: Vec<LessonId> = order(&contents).into_iter().map(|(_, id)| id).collect();
                left.sort_unstable();
                let mut all = ids.to_vec();
                all.sort_unstable();
                prop_assert_eq!(left, all);
                prop_assert!(Contents::of(contents.clone().into_sections(), 100).is_ok());
            }
        }
    }
}
