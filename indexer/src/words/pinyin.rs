//! Readings of characters, and what letters typed without tones may stand for.

use std::collections::HashSet;
use std::sync::LazyLock;

use pinyin::ToPinyinMulti;

/// The longest run of letters taken for pinyin: the longest titles; what is longer nobody types.
const MAX_LETTERS: usize = 160;
/// The longest syllable, in letters: `zhuang`.
const MAX_SYLLABLE: usize = 6;
/// The most ways of cutting letters into syllables that are tried.
const MAX_CUTS: usize = 6;
/// The most initials taken for an abbreviation.
const MAX_INITIALS: usize = 10;

/// One typed piece: a whole syllable or only its first letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sound {
    /// A syllable in full.
    Full(String),
    /// The initial of one.
    Initial(char),
}

impl Sound {
    /// Its first letter.
    pub(crate) fn initial(&self) -> Option<char> {
        match self {
            Self::Full(syllable) => syllable.chars().next(),
            Self::Initial(letter) => Some(*letter),
        }
    }
}

/// The readings of `ch`, at most `most`, the commonest first, without tones; `ü` as both `v` and
/// `u`. Empty when it has none.
pub(crate) fn readings(ch: char, most: usize) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = Vec::new();
    for reading in ch.to_pinyin_multi().into_iter().flatten() {
        for spelling in spellings(reading.plain()) {
            if !all.contains(&spelling) && all.len() < most {
                all.push(spelling);
            }
        }
    }
    all
}

/// Whether `ch` can be read as `sound`.
pub(crate) fn sounds_like(ch: char, sound: &Sound) -> bool {
    ch.to_pinyin_multi().into_iter().flatten().any(|reading| {
        spellings(reading.plain()).any(|spelling| match sound {
            Sound::Full(full) => spelling == full,
            Sound::Initial(letter) => spelling.starts_with(*letter),
        })
    })
}

/// Whether a reading of `ch` begins with `letters`.
pub(crate) fn begins_sound(ch: char, letters: &str) -> bool {
    ch.to_pinyin_multi()
        .into_iter()
        .flatten()
        .any(|reading| spellings(reading.plain()).any(|spelling| spelling.starts_with(letters)))
}

/// As [`syllables`]; when `open` the last one may be the beginning of one.
pub(crate) fn spelled_so_far(letters: &str, open: bool) -> Vec<Vec<Sound>> {
    let mut cuts = syllables(letters);
    if !open || letters.len() > MAX_LETTERS || !letters.is_ascii() {
        return cuts;
    }
    for from in letters.len().saturating_sub(MAX_SYLLABLE - 1)..letters.len() {
        let (whole, begun) = letters.split_at(from);
        if is_syllable(begun) || !begins_syllable(begun) {
            continue;
        }
        let before =
            if whole.is_empty() { Some(Vec::new()) } else { syllables(whole).into_iter().next() };
        cuts.extend(before.map(|mut cut| {
            cut.push(Sound::Full(begun.to_owned()));
            cut
        }));
    }
    cuts.sort_by_key(Vec::len);
    cuts
}

/// The ways in which `letters` can be cut into whole syllables, longer syllables first.
pub(crate) fn syllables(letters: &str) -> Vec<Vec<Sound>> {
    let mut cuts = Vec::new();
    if letters.len() <= MAX_LETTERS && letters.bytes().all(|b| b.is_ascii_lowercase()) {
        let mut dead = HashSet::new();
        cut(letters, 0, &mut Vec::new(), &mut dead, &mut cuts);
    }
    cuts.sort_by_key(Vec::len);
    cuts
}

/// `letters` as initials only, two at least.
pub(crate) fn initials(letters: &str) -> Option<Vec<Sound>> {
    let fits = (2..=MAX_INITIALS).contains(&letters.len()) && letters.chars().all(is_initial);
    fits.then(|| letters.chars().map(Sound::Initial).collect())
}

/// `letters` as syllables and initials mixed (`taijiq`, `tjquan`), in as few pieces as possible.
pub(crate) fn mixed(letters: &str) -> Option<Vec<Sound>> {
    let size = letters.len();
    if !(3..=MAX_LETTERS).contains(&size) || !letters.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let mut best: Vec<Option<(usize, usize)>> = vec![None; size + 1]; // pieces, where the last begins
    best[0] = Some((0, 0));
    for from in 0..size {
        let Some((pieces, _)) = best[from] else { continue };
        for to in from + 1..=size.min(from + 6) {
            let piece = &letters[from..to];
            let better = best[to].is_none_or(|(had, _)| pieces + 1 < had);
            if better && (is_syllable(piece) || is_initial_piece(piece)) {
                best[to] = Some((pieces + 1, from));
            }
        }
    }
    let mut sounds = Vec::new();
    let mut to = size;
    while to > 0 {
        let (_, from) = best[to]?;
        sounds.push(sound(&letters[from..to]));
        to = from;
    }
    sounds.reverse();
    let full = sounds.iter().filter(|sound| matches!(sound, Sound::Full(_))).count();
    (full > 0 && full < sounds.len()).then_some(sounds)
}

fn sound(piece: &str) -> Sound {
    match piece.chars().next() {
        Some(letter) if !is_syllable(piece) => Sound::Initial(letter),
        _ => Sound::Full(piece.to_owned()),
    }
}

fn is_initial_piece(piece: &str) -> bool {
    matches!(piece, "zh" | "ch" | "sh") || (piece.len() == 1 && piece.chars().all(is_initial))
}

fn is_initial(letter: char) -> bool {
    letter.is_ascii_lowercase() && !matches!(letter, 'i' | 'u' | 'v')
}

fn is_syllable(piece: &str) -> bool {
    ALL.contains(piece)
}

/// Whether some syllable begins with `piece`.
fn begins_syllable(piece: &str) -> bool {
    static BEGUN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let begun = |syllable: &&'static str| -> Vec<&'static str> {
            syllable.char_indices().map(|(at, ch)| &syllable[..at + ch.len_utf8()]).collect()
        };
        ALL.iter().flat_map(begun).collect()
    });
    BEGUN.contains(piece)
}

static ALL: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let mut all: HashSet<&'static str> =
        ('\u{4e00}'..='\u{9fa5}').flat_map(|ch| readings(ch, 9)).collect();
    // Readings of interjections, which would make any consonant a syllable.
    all.retain(|syllable| syllable.contains(['a', 'e', 'i', 'o', 'u', 'v', 'ê']));
    all
});

/// Collects the cuts of `letters[from..]`; `dead` holds places from which there is none.
fn cut(
    letters: &str,
    from: usize,
    so_far: &mut Vec<Sound>,
    dead: &mut HashSet<usize>,
    cuts: &mut Vec<Vec<Sound>>,
) {
    if from == letters.len() {
        cuts.push(so_far.clone());
        return;
    }
    let had = cuts.len();
    for to in (from + 1..=letters.len().min(from + 6)).rev() {
        if cuts.len() >= MAX_CUTS {
            return;
        }
        if !dead.contains(&to) && is_syllable(&letters[from..to]) {
            so_far.push(Sound::Full(letters[from..to].to_owned()));
            cut(letters, to, so_far, dead, cuts);
            so_far.pop();
        }
    }
    if cuts.len() == had {
        dead.insert(from);
    }
}

fn spellings(plain: &'static str) -> impl Iterator<Item = &'static str> {
    let (first, second) = match plain {
        "lü" => ("lv", Some("lu")),
        "nü" => ("nv", Some("nu")),
        "lüe" => ("lve", Some("lue")),
        "nüe" => ("nve", Some("nue")),
        "lüan" => ("lvan", Some("luan")),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sounds: &[Sound]) -> String {
        let parts: Vec<String> = sounds
            .iter()
            .map(|sound| match sound {
                Sound::Full(full) => full.clone(),
                Sound::Initial(letter) => letter.to_uppercase().to_string(),
            })
            .collect();
        parts.join(" ")
    }

    fn cuts(letters: &str) -> Vec<String> {
        syllables(letters).iter().map(|cut| shown(cut)).collect()
    }

    #[test]
    fn letters_are_cut_into_syllables_in_every_sensible_way() {
        assert_eq!(cuts("rizhao")[0], "ri zhao");
        assert!(cuts("change").contains(&"chang e".to_owned()));
        assert!(cuts("xian").contains(&"xi an".to_owned()));
        assert_eq!(cuts("xian")[0], "xian");
        assert!(cuts("tjq").is_empty());
        assert!(cuts("python").is_empty());
        assert!(cuts(&"x".repeat(500)).is_empty());
    }

    #[test]
    fn initials_and_mixtures() {
        assert_eq!(shown(&initials("tjq").unwrap()), "T J Q");
        assert!(initials("tiq").is_none());
        assert_eq!(shown(&mixed("taijiq").unwrap()), "tai ji Q");
        assert_eq!(shown(&mixed("tjquan").unwrap()), "T J quan");
        assert!(mixed("taijiquan").is_none());
    }

    #[test]
    fn many_readings_are_all_heard() {
        assert!(sounds_like('行', &Sound::Full("hang".into())));
        assert!(sounds_like('行', &Sound::Initial('x')));
        assert!(sounds_like('绿', &Sound::Full("lv".into())));
        assert!(!sounds_like('剪', &Sound::Full("zhi".into())));
        assert!(readings('a', 4).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn cuts_give_the_letters_back(letters in "[a-z]{0,70}") {
            for cut in syllables(&letters) {
                proptest::prop_assert_eq!(shown(&cut).replace(' ', ""), letters.clone());
            }
            let _ = mixed(&letters);
        }
    }
}
