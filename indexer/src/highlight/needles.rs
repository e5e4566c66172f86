//! What to look for in a text, and where it is.

use crate::words::{Glyph, Sound, Unit, fold_text, name_part, sounds_like, stem, units};

/// The most needles looked for in a text.
const MAX_NEEDLES: usize = 200;

/// The words of a query as they are looked for in texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needles {
    all: Vec<Needle>,
}

#[derive(Debug, Clone, PartialEq)]
struct Needle {
    shape: Shape,
    worth: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// Units in a row.
    Row(Vec<String>),
    /// A word with any ending.
    Stem(String),
    /// Characters read so, in a row.
    Sounds(Vec<Sound>),
}

/// A place where a needle was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its first glyph.
    pub(crate) from: usize,
    /// The glyph after its last.
    pub(crate) to: usize,
    /// The needle's number: two of one needle are worth less than one of each.
    pub(crate) needle: usize,
    /// How much it is worth to be shown.
    pub(crate) worth: usize,
}

impl Needles {
    /// A word of Han characters (folded).
    pub(crate) fn add_han(&mut self, word: &str) {
        self.add(row(word), word.chars().count());
    }

    /// Several words that stood together: marked as one where they do again.
    pub(crate) fn add_run(&mut self, run: &str) {
        self.add(row(run), run.chars().count());
    }

    /// A Latin word (folded), with any ending.
    pub(crate) fn add_latin(&mut self, word: &str) {
        let root = stem(word).unwrap_or_else(|| word.to_owned());
        self.add(Shape::Stem(root), 2);
    }

    /// A phrase (folded).
    pub(crate) fn add_phrase(&mut self, phrase: &str, han: bool) {
        if han {
            return self.add_han(&phrase.split_whitespace().collect::<String>());
        }
        let glyphs = crate::words::fold(phrase);
        let units: Vec<String> = units(&glyphs).iter().map(|unit| unit.text(&glyphs)).collect();
        let worth = units.len() + 1;
        self.add(Shape::Row(units), worth);
    }

    /// What letters may spell.
    pub(crate) fn add_sounds(&mut self, sounds: &[Sound]) {
        self.add(Shape::Sounds(sounds.to_vec()), sounds.len());
    }

    fn add(&mut self, shape: Shape, worth: usize) {
        let needle = Needle { shape, worth };
        if self.all.len() < MAX_NEEDLES && !self.all.contains(&needle) {
            self.all.push(needle);
        }
    }

    /// Where the needles are in folded text, in order; marks may overlap.
    pub(crate) fn find(&self, glyphs: &[Glyph]) -> Vec<Mark> {
        let units = units(glyphs);
        let mut marks = Vec::new();
        for at in 0..units.len() {
            for (number, needle) in self.all.iter().enumerate() {
                if let Some(len) = needle.shape.begins(&units[at..], glyphs) {
                    let (from, to) = (units[at].from, units[at + len - 1].to);
                    marks.push(Mark { from, to, needle: number, worth: needle.worth });
                }
            }
        }
        marks
    }
}

impl Shape {
    /// How many units at the beginning of `units` it takes; `None` if it is not there.
    fn begins(&self, units: &[Unit], glyphs: &[Glyph]) -> Option<usize> {
        let first = units.first()?;
        match self {
            Self::Row(row) => {
                let fits = row.len() <= units.len()
                    && row.iter().zip(units).enumerate().all(|(at, (text, unit))| {
                        unit.position == first.position + at && says(unit, glyphs, text)
                    });
                fits.then_some(row.len()).filter(|len| *len > 0)
            }
            Self::Stem(root) => {
                let fits = !first.han && {
                    let word = first.text(glyphs);
                    word == *root
                        || name_part(&word) == Some(root)
                        || (word.starts_with(root.get(..1)?) && stem(&word).as_ref() == Some(root))
                };
                fits.then_some(1)
            }
            Self::Sounds(sounds) => {
                let fits = sounds.len() <= units.len()
                    && sounds.iter().zip(units).enumerate().all(|(at, (sound, unit))| {
                        unit.han
                            && unit.position == first.position + at
                            && sounds_like(glyphs[unit.from].read, sound)
                    });
                fits.then_some(sounds.len()).filter(|len| *len > 0)
            }
        }
    }
}

fn says(unit: &Unit, glyphs: &[Glyph], text: &str) -> bool {
    glyphs[unit.from..unit.to].iter().map(|glyph| glyph.ch).eq(text.chars())
}

fn row(word: &str) -> Shape {
    let folded = fold_text(word);
    Shape::Row(folded.chars().filter(|c| !c.is_whitespace()).map(String::from).collect())
}
