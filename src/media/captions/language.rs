//! Which language captions are in.

use std::path::Path;

use super::{Cue, plain};

/// Characters that tell simplified from traditional Chinese: pairs of both.
const PAIRS: &str = "们們这這个個来來为為国國说說时時会會对對后後发發学學过過经經还還进進现現动動没沒开開样樣\
实實关關点點业業两兩长長问問间間头頭见見产產门門给給话話东東车車电電书書请請让讓认認识識师師应應当當";

/// The language by the file's name (`talk.zh.srt`, `film-de.vtt`), else by its letters.
pub(super) fn guess(name: &str, cues: &[Cue]) -> Option<String> {
    let stem = Path::new(name).file_stem()?.to_string_lossy().into_owned();
    let by_name = stem.rsplit(['.', '_', ' ', '[', ']', '(', ')']).find(|part| !part.is_empty());
    let named = by_name.and_then(of_tag).or_else(|| of_tag(stem.rsplit('-').next()?));
    named.filter(|_| stem.contains(['.', '_', ' ', '[', '(', '-'])).or_else(|| by_letters(cues))
}

/// The tag as BCP 47 writes it, if it names a language that is known here.
pub(in crate::media) fn of_tag(tag: &str) -> Option<String> {
    let lower = tag.trim().to_lowercase().replace('_', "-");
    let known = match lower.as_str() {
        "zh-cn" | "zh-sg" | "zh-hans" | "zh-hans-cn" | "chs" | "sc" | "gb" | "简体" | "简中" => {
            "zh-Hans"
        }
        "zh-tw" | "zh-hk" | "zh-mo" | "zh-hant" | "zh-hant-tw" | "cht" | "tc" | "big5" | "繁體"
        | "繁体" => "zh-Hant",
        "zho" | "chi" | "zh" | "中文" => "zh",
        other => {
            let base = other.split('-').next()?;
            let codes = LANGUAGES.iter().find(|(two, three)| *two == base || three.contains(&base));
            codes?.0
        }
    };
    Some(known.to_owned())
}

/// ISO 639-1, and the 639-2 codes that files carry.
const LANGUAGES: [(&str, &[&str]); 22] = [
    ("en", &["eng"]),
    ("de", &["deu", "ger"]),
    ("fr", &["fra", "fre"]),
    ("es", &["spa"]),
    ("it", &["ita"]),
    ("pt", &["por"]),
    ("nl", &["nld", "dut"]),
    ("pl", &["pol"]),
    ("tr", &["tur"]),
    ("ru", &["rus"]),
    ("uk", &["ukr"]),
    ("ja", &["jpn"]),
    ("ko", &["kor"]),
    ("vi", &["vie"]),
    ("th", &["tha"]),
    ("id", &["ind"]),
    ("ms", &["msa", "may"]),
    ("ar", &["ara"]),
    ("fa", &["fas", "per"]),
    ("ug", &["uig"]),
    ("bo", &["bod", "tib"]),
    ("mn", &["mon"]),
];

/// By scripts; Latin letters only by the commonest English words.
fn by_letters(cues: &[Cue]) -> Option<String> {
    of_text(&cues.iter().take(400).map(|cue| plain(cue) + "\n").collect::<String>())
}

/// The language of a text, by its scripts; nothing when it cannot be told.
#[must_use]
pub fn of_text(text: &str) -> Option<String> {
    let count = |test: fn(char) -> bool| text.chars().filter(|c| test(*c)).count();
    let letters = count(char::is_alphabetic);
    let han = count(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
    let kana = count(|c| ('\u{3040}'..='\u{30FF}').contains(&c));
    let hangul = count(|c| ('\u{AC00}'..='\u{D7A3}').contains(&c));
    if letters == 0 {
        return None;
    }
    // Of bilingual captions the Chinese line counts: one character says what a word does.
    let language = if kana * 4 > han && kana * 5 > letters {
        "ja"
    } else if hangul * 3 > letters {
        "ko"
    } else if han * 5 > letters {
        return Some(of_han(text));
    } else if count(|c| ('\u{600}'..='\u{6FF}').contains(&c)) * 2 > letters {
        "ar"
    } else if count(|c| ('\u{400}'..='\u{4FF}').contains(&c)) * 2 > letters {
        "ru"
    } else if is_english(text) {
        "en"
    } else {
        return None;
    };
    Some(language.to_owned())
}

fn of_han(text: &str) -> String {
    let pairs: Vec<char> = PAIRS.chars().collect();
    let (mut simplified, mut traditional) = (0, 0);
    for c in text.chars() {
        match pairs.iter().position(|known| *known == c) {
            Some(at) if at % 2 == 0 => simplified += 1,
            Some(_) => traditional += 1,
            None => {}
        }
    }
    match simplified.cmp(&traditional) {
        std::cmp::Ordering::Greater => "zh-Hans",
        std::cmp::Ordering::Less => "zh-Hant",
        std::cmp::Ordering::Equal => "zh",
    }
    .to_owned()
}

fn is_english(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "the", "and", "is", "of", "to", "you", "it", "that", "this", "what", "for", "are", "we",
        "have",
    ];
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let common = words.iter().filter(|word| WORDS.contains(&word.as_str())).count();
    common >= 2 && common * 8 >= words.len()
}
