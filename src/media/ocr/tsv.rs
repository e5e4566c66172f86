//! The answer of tesseract: a table of words, with lines, paragraphs and confidence.

use crate::media::captions::lines::{is_ideographic, join, tidy};
use crate::media::document::{MAX_TEXT_BYTES, MAX_WORD_CHARS, MAX_WORDS, PageText, WordBox, short};

/// A line whose words are believed less than this on the average, of 100, is taken for ornaments
/// and texture, which are read as letters too. (Measured: docs/ocr.md.)
const MIN_LINE: f32 = 50.0;

/// A word that is believed less than this is left out of its line.
const MIN_WORD: f32 = 20.0;

/// What the bullets of lists are read as.
const BULLETS: [char; 8] = ['@', '©', '®', '•', '·', '°', '¢', '*'];

/// Which line of which paragraph of which block.
type Place<'a> = [&'a str; 3];

/// A word of the table; pixels.
struct Word<'a> {
    place: Place<'a>,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    confidence: f32,
    text: String,
}

/// The text and the words of a picture of `size` pixels. Lines that are not of the form are passed
/// over. Chinese has no spaces: its characters, which tesseract tells one by one, are put together.
pub(super) fn parse(table: &str, size: (u32, u32)) -> PageText {
    let words: Vec<Word<'_>> = table.lines().filter_map(|line| word(line, size)).collect();
    let mut page = PageText { page: 1, ..PageText::default() };
    let mut before: Option<Place<'_>> = None;
    let mut paragraph = String::new();
    for line in words.chunk_by(|a, b| a.place == b.place) {
        let place = line[0].place;
        if before.is_some_and(|before| before[..2] != place[..2]) {
            end_paragraph(&mut page, &mut paragraph);
        }
        before = Some(place);
        if is_believed(line) {
            for run in runs(line) {
                if page.words.len() < MAX_WORDS
                    && page.text.len() + paragraph.len() < MAX_TEXT_BYTES
                {
                    join(&mut paragraph, &run.text);
                    page.words.push(boxed(run, size));
                }
            }
        }
    }
    end_paragraph(&mut page, &mut paragraph);
    page
}

/// A row of level 5: level, page, block, paragraph, line, word, left, top, width, height,
/// confidence, text.
fn word(line: &str, (width, height): (u32, u32)) -> Option<Word<'_>> {
    let fields: Vec<&str> = line.splitn(12, '\t').collect();
    let ["5", _, block, paragraph, line, _, left, top, wide, high, confidence, text] = fields[..]
    else {
        return None;
    };
    let number = |field: &str, most: u32| {
        let number: f32 = field.parse().ok()?;
        number.is_finite().then(|| number.clamp(0.0, most as f32))
    };
    let (left, top) = (number(left, width)?, number(top, height)?);
    let (wide, high) = (number(wide, width)?, number(high, height)?);
    let right = (left + wide).min(width as f32);
    let bottom = (top + high).min(height as f32);
    let confidence = number(confidence, 100)?;
    let text = tidy(text, MAX_WORD_CHARS)?;
    let place = [block, paragraph, line];
    (right > left && bottom > top).then_some(Word {
        place,
        left,
        top,
        right,
        bottom,
        confidence,
        text,
    })
}

fn is_believed(line: &[Word<'_>]) -> bool {
    let letters = |word: &Word<'_>| word.text.chars().count() as f32;
    let all: f32 = line.iter().map(letters).sum();
    let believed: f32 = line.iter().map(|word| word.confidence * letters(word)).sum();
    believed >= MIN_LINE * all
}

/// The words of a line without its bullet, with neighbours in Chinese made one.
fn runs<'a>(line: &[Word<'a>]) -> Vec<Word<'a>> {
    let mut runs: Vec<Word<'a>> = Vec::new();
    let words = line.iter().skip_while(|word| word.text.chars().all(|c| BULLETS.contains(&c)));
    for word in words.filter(|word| word.confidence >= MIN_WORD) {
        match runs.last_mut().filter(|last| grow_together(last, word)) {
            Some(last) => {
                last.left = last.left.min(word.left);
                last.top = last.top.min(word.top);
                last.right = last.right.max(word.right);
                last.bottom = last.bottom.max(word.bottom);
                last.text.push_str(&word.text);
            }
            None => runs.push(Word { text: word.text.clone(), ..*word }),
        }
    }
    runs
}

/// Whether there is no space between two words: Chinese on both sides, and no gap wider than a
/// character.
fn grow_together(word: &Word<'_>, next: &Word<'_>) -> bool {
    let chinese = |c: Option<char>| c.is_some_and(is_ideographic);
    chinese(word.text.chars().next_back())
        && chinese(next.text.chars().next())
        && word.text.chars().count() + next.text.chars().count() <= MAX_WORD_CHARS
        && next.left - word.right <= (word.bottom - word.top).max(next.bottom - next.top)
}

fn boxed(word: Word<'_>, (width, height): (u32, u32)) -> WordBox {
    let (width, height) = (width as f32, height as f32);
    WordBox {
        x: short(word.left / width),
        y: short(word.top / height),
        w: short((word.right - word.left) / width),
        h: short((word.bottom - word.top) / height),
        text: word.text,
    }
}

fn end_paragraph(page: &mut PageText, paragraph: &mut String) {
    if !paragraph.is_empty() {
        if !page.text.is_empty() {
            page.text.push('\n');
        }
        page.text.push_str(paragraph);
        paragraph.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(place: &str, left: u32, confidence: f32, text: &str) -> String {
        format!("5\t1\t{place}\t1\t{left}\t100\t30\t32\t{confidence}\t{text}\n")
    }

    #[test]
    fn chinese_has_no_spaces_and_english_keeps_its_own() {
        let table = [
            "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n",
            "4\t1\t1\t1\t1\t0\t100\t100\t400\t32\t-1\t\n",
            &row("1\t1\t1", 60, 90.0, "@@"),
            &row("1\t1\t1", 100, 96.0, "黄海"),
            &row("1\t1\t1", 132, 91.0, "渔民"),
            &row("1\t1\t1", 180, 95.0, "use"),
            &row("1\t1\t1", 220, 95.0, "nets"),
            &row("1\t1\t2", 100, 95.0, "编网"),
            &row("1\t2\t1", 100, 95.0, "技艺"),
        ]
        .concat();
        let page = parse(&table, (1000, 1000));
        assert_eq!(page.text, "黄海渔民 use nets 编网\n技艺");
        let words: Vec<&str> = page.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["黄海渔民", "use", "nets", "编网", "技艺"]);
        let first = &page.words[0];
        assert_eq!((first.x, first.y, first.w, first.h), (0.1, 0.1, 0.062, 0.032));
    }

    #[test]
    fn what_is_hardly_believed_is_not_text() {
        let table = [
            row("1\t1\t1", 100, 31.0, "JS"),
            row("1\t1\t1", 140, 44.0, "/|"),
            row("1\t1\t2", 100, 93.0, "假一赔十"),
            row("1\t1\t2", 400, 3.0, "~"),
        ];
        assert_eq!(parse(&table.concat(), (1000, 1000)).text, "假一赔十");
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_within_bounds(
            rows in prop::collection::vec("(5|4)(\t[0-9]{1,3}){5}(\t-?[0-9]{1,5}(\\.5)?|\tNaN|\tinf){5}\t\\PC{0,8}", 0..20),
        ) {
            let page = parse(&rows.join("\n"), (640, 480));
            crate::media::protocol::Answer::PageText(page).check().expect("within bounds");
        }
    }
}
