//! Topics, audiences and whether something is local, by the words of `words.tsv`.

use std::sync::LazyLock;

/// What a word in the title gives, for each time it gives what it weighs.
const IN_TITLE: f32 = 4.0;

/// The same of a word in a heading.
const IN_HEADING: f32 = 1.0;

/// The same of a word in the text.
const IN_TEXT: f32 = 0.5;

/// How many times a word counts in headings, and in the text.
const MOST: usize = 4;

/// What something must have to be guessed: a telling word in the title, or several in the text.
const LEAST: f32 = 6.0;

/// What part of the best another must have to be guessed beside it.
const BESIDE: f32 = 0.6;

/// A word of the table.
struct Word {
    code: &'static str,
    weight: f32,
    word: String,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let lines = include_str!("words.tsv").lines().filter(|line| !line.starts_with('#'));
    let parts = lines.filter_map(|line| {
        let mut parts = line.split('\t');
        Some((parts.next()?, parts.next()?.parse::<f32>().ok()?, parts.next()?))
    });
    let words = parts.flat_map(|(code, weight, words)| {
        words.split(' ').map(move |word| Word { code, weight, word: word.to_lowercase() })
    });
    words.collect()
});

/// What is read for words, in lower case.
pub(super) struct Texts {
    title: String,
    headings: String,
    text: String,
}

impl Texts {
    pub(super) fn of(title: &str, headings: &[&str], text: &str) -> Self {
        Self {
            title: title.to_lowercase(),
            headings: headings.join("\n").to_lowercase(),
            text: text.to_lowercase(),
        }
    }

    /// The codes that are likely among `codes`, the likeliest first, at most `most`.
    pub(super) fn likely(&self, codes: &[&'static str], most: usize) -> Vec<String> {
        let score = |code: &&'static str| (self.score(code), *code);
        let mut scores: Vec<(f32, &str)> = codes.iter().map(score).collect();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = scores.first().map_or(0.0, |(score, _)| *score);
        let least = LEAST.max(best * BESIDE);
        let likely = scores.into_iter().filter(|(score, _)| *score >= least);
        likely.take(most).map(|(_, code)| code.to_owned()).collect()
    }

    /// How much speaks for `code`.
    pub(super) fn score(&self, code: &str) -> f32 {
        WORDS.iter().filter(|word| word.code == code).map(|word| self.weigh(word)).sum()
    }

    fn weigh(&self, word: &Word) -> f32 {
        let times = |text: &str| text.matches(word.word.as_str()).take(MOST).count() as f32;
        let in_title = if self.title.contains(&word.word) { IN_TITLE } else { 0.0 };
        let rest = times(&self.headings) * IN_HEADING + times(&self.text) * IN_TEXT;
        word.weight * (in_title + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{AUDIENCES, TOPICS};

    #[test]
    fn the_table_has_words_for_every_code_and_for_nothing_else() {
        let known = TOPICS.iter().chain(AUDIENCES).map(|term| term.code).chain(["local"]);
        let known: Vec<&str> = known.collect();
        for code in &known {
            assert!(WORDS.iter().any(|word| word.code == *code), "{code}");
        }
        for word in WORDS.iter() {
            assert!(known.contains(&word.code), "{}", word.code);
            assert!((1.0..=3.0).contains(&word.weight) && !word.word.is_empty(), "{}", word.word);
        }
    }
}
