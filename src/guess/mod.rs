//! What a resource may be called, be about and be for, guessed from its file and its text. Guesses
//! are offered to people, never kept by themselves.
//!
//! Plain functions: no I/O, no clock.

mod title;
mod words;

use self::words::Texts;
use crate::catalogue::{AUDIENCES, TOPICS, Term};

/// Characters of a text that are read.
pub const MAX_TEXT: usize = 6_000;

/// Characters of a description that is offered.
const MAX_DESCRIPTION: usize = 160;

/// The most topics, and the most audiences, that are guessed.
const MOST: usize = 2;

/// What there is to guess from.
#[derive(Debug, Clone, Default)]
pub struct Clues<'a> {
    /// Name of the file.
    pub file_name: &'a str,
    /// What the document calls itself; may be empty.
    pub own_title: &'a str,
    /// Its headings or chapters.
    pub headings: Vec<&'a str>,
    /// What is said or written in it, up to [`MAX_TEXT`] characters; may be empty.
    pub text: &'a str,
    /// The text was written to be read: pages, not captions.
    pub written: bool,
    /// Topics that its library gives to everything.
    pub topics: &'a [String],
    /// Name of who owns its library; may be empty.
    pub owner: &'a str,
}

/// What is guessed; empty: no idea.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guess {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// Codes, the likeliest first.
    pub topics: Vec<String>,
    /// Codes, the likeliest first.
    pub audiences: Vec<String>,
    /// Where it comes from: the place of its library's owner.
    pub place: String,
    /// It looks local.
    pub local: bool,
}

/// What is guessed from `clues`.
#[must_use]
pub fn guess(clues: &Clues<'_>) -> Guess {
    let title = guess_title(clues);
    let told = format!("{title} {}", title::of_file(clues.file_name).unwrap_or_default());
    let texts = Texts::of(&told, &clues.headings, clues.text);
    let codes = |terms: &'static [Term]| terms.iter().map(|term| term.code).collect::<Vec<_>>();
    let mut topics = texts.likely(&codes(TOPICS), MOST);
    if topics.is_empty() {
        topics = clues.topics.to_vec();
    }
    Guess {
        description: if clues.written { description(clues.text, &title) } else { String::new() },
        topics,
        audiences: texts.likely(&codes(AUDIENCES), MOST),
        place: place_of(clues.owner),
        local: !texts.likely(&["local"], 1).is_empty(),
        title,
    }
}

/// The document's own title where the text begins with it, else that of the file's name, else the
/// document's, else the first line.
fn guess_title(clues: &Clues<'_>) -> String {
    let own = title::of_document(clues.own_title);
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let beginning = plain(&clues.text.chars().take(400).collect::<String>());
    let meant = own.clone().filter(|own| beginning.contains(&plain(own)));
    let line = || if clues.written { title::of_text(clues.text) } else { None };
    let title = meant.or_else(|| title::of_file(clues.file_name)).or(own).or_else(line);
    title.unwrap_or_default()
}

/// The first sentences of a text, without its title and what is no sentence.
fn description(text: &str, title: &str) -> String {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let title = plain(title);
    let is_text = |line: &&str| line.chars().filter(|c| c.is_alphabetic()).count() >= 12;
    let lines = text.lines().map(str::trim).filter(is_text).filter(|line| plain(line) != title);
    let mut said = String::new();
    for line in lines.take(12) {
        // Lines of a page are broken anywhere: Chinese goes on without a space.
        let joins = said.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        if joins {
            said.push(' ');
        }
        said.push_str(line);
        if said.chars().count() >= MAX_DESCRIPTION {
            break;
        }
    }
    let cut: String = said.chars().take(MAX_DESCRIPTION).collect();
    match cut.rfind(['。', '！', '？', '；']) {
        Some(end) if cut[..end].chars().count() >= 20 => {
            cut[..end].to_owned() + &cut[end..].chars().take(1).collect::<String>()
        }
        _ if cut.len() < said.len() => cut + "…",
        _ => cut,
    }
}

/// The place in the name of an organisation: `岚山头街道社区教育中心` is of 岚山头街道.
#[must_use]
pub fn place_of(owner: &str) -> String {
    const ENDS: [&str; 14] = [
        "社区教育学校",
        "社区教育中心",
        "社区教育学院",
        "社区大学",
        "老年大学",
        "社区教育办公室",
        "居民委员会",
        "村民委员会",
        "社区居委会",
        "居委会",
        "村委会",
        "文化站",
        "文化馆",
        "图书馆",
    ];
    let name = owner.trim();
    let end = ENDS.iter().find(|end| name.ends_with(**end));
    let place = end.map_or(name, |end| name.trim_end_matches(end));
    if place.is_empty() { name.to_owned() } else { place.to_owned() }
}

#[cfg(test)]
#[path = "guess_tests.rs"]
mod tests;
