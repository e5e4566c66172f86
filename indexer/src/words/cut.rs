//! The dictionary.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::thread;

use jieba_rs::Jieba;

use super::fold::{Glyph, fold_text};
use super::unit::Unit;

/// The frequency given to the librarian's words: they win over their pieces.
const EXTRA_FREQUENCY: usize = 20_000;

/// The most words that are looked for in place of one.
const MAX_SYNONYMS: usize = 8;

/// The dictionary that cuts Chinese into words; cheap to clone.
///
/// It is read (some 0.2 s, 33 MiB) when first needed, or on a thread of its own after
/// [`Words::warm`].
#[derive(Clone)]
pub struct Words {
    inner: Arc<Inner>,
}

struct Inner {
    extra: Vec<String>,
    synonyms: HashMap<String, Vec<String>>,
    jieba: OnceLock<Jieba>,
}

impl Words {
    /// The general dictionary and `extra_dictionary`: a word a line, Simplified or Traditional;
    /// what follows the word after white space, and lines beginning with `#`, are not read.
    pub fn new(extra_dictionary: &str) -> Self {
        Self::with_synonyms(extra_dictionary, "")
    }

    /// As [`Words::new`], and `synonyms`: the words of a line, with white space, commas or equals
    /// signs between, mean the same; lines beginning with `#` are not read.
    pub fn with_synonyms(extra_dictionary: &str, synonyms: &str) -> Self {
        let groups: Vec<Vec<String>> = lines(synonyms).map(group).collect();
        let words = lines(extra_dictionary).filter_map(|line| line.split_whitespace().next());
        let extra = words
            .map(fold_text)
            .chain(groups.iter().flatten().cloned())
            .filter(|word| word.chars().count() > 1)
            .collect();
        let synonyms = synonyms_of(&groups);
        Self { inner: Arc::new(Inner { extra, synonyms, jieba: OnceLock::new() }) }
    }

    /// What means the same as `word`, all folded.
    pub(crate) fn synonyms(&self, word: &str) -> &[String] {
        self.inner.synonyms.get(word).map_or(&[], Vec::as_slice)
    }

    /// Begins to read the dictionary in the background, so that the first search need not wait.
    pub fn warm(&self) {
        let words = self.clone();
        // When no thread can be had the first search reads the dictionary itself.
        drop(thread::Builder::new().name("words".into()).spawn(move || drop(words.cut("预热"))));
    }

    /// Cuts folded text into words; joined again they are the text.
    pub(crate) fn cut(&self, folded: &str) -> Vec<String> {
        self.jieba().cut(folded, true).iter().map(|token| token.word.to_owned()).collect()
    }

    /// The words of a folded text, as ranges of its units.
    pub(crate) fn spans(&self, glyphs: &[Glyph], units: &[Unit]) -> Vec<(usize, usize)> {
        let mut spans = Vec::new();
        let mut start = 0;
        for run in units.chunk_by(Unit::joins) {
            let end = start + run.len();
            if run[0].han {
                let text: String = run.iter().map(|unit| glyphs[unit.from].ch).collect();
                for word in self.jieba().cut(&text, true) {
                    let to = (start + word.end - word.start).min(end);
                    spans.push((start, to));
                    start = to;
                }
            } else {
                spans.push((start, end));
            }
            start = end;
        }
        spans.retain(|(from, to)| from < to);
        spans
    }

    /// The shorter words within `word` that together are the word; empty when there are none.
    pub(crate) fn parts(&self, word: &str) -> Vec<String> {
        let size = word.chars().count();
        let found = self.jieba().cut_for_search(word, false);
        let mut reach = 0;
        let mut parts = Vec::new();
        for token in found.iter().filter(|token| token.end - token.start < size) {
            let long = token.end - token.start > 1;
            if token.start > reach || !long {
                continue;
            }
            reach = reach.max(token.end);
            parts.push(token.word.to_owned());
        }
        if reach == size { parts } else { Vec::new() }
    }

    fn jieba(&self) -> &Jieba {
        self.inner.jieba.get_or_init(|| {
            let mut jieba = Jieba::new();
            for word in &self.inner.extra {
                jieba.add_word(word, Some(EXTRA_FREQUENCY), None);
            }
            jieba
        })
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with('#'))
}

/// The words of a line of synonyms, folded.
fn group(line: &str) -> Vec<String> {
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | '=' | '，' | '＝' | '、');
    line.split(apart).filter(|word| !word.is_empty()).map(fold_text).collect()
}

fn synonyms_of(groups: &[Vec<String>]) -> HashMap<String, Vec<String>> {
    let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
    for group in groups {
        for word in group {
            let others = synonyms.entry(word.clone()).or_default();
            for other in group {
                if other != word && !others.contains(other) && others.len() < MAX_SYNONYMS {
                    others.push(other.clone());
                }
            }
        }
    }
    synonyms
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words").field("extra", &self.inner.extra.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarian_adds_words() {
        let folded = "岚山赶海拾贝节";
        assert!(!Words::new("").cut(folded).contains(&"赶海拾贝".to_owned()));
        let words = Words::new("# local words\n趕海拾貝 10 n\n");
        assert!(words.cut(folded).contains(&"赶海拾贝".to_owned()));
    }

    #[test]
    fn synonyms_are_those_of_any_line() {
        let words = Words::with_synonyms("", "# same\n土豆 = 馬鈴薯，洋芋\n土豆,薯仔\n");
        assert_eq!(words.synonyms("土豆"), ["马铃薯", "洋芋", "薯仔"]);
        assert_eq!(words.synonyms("洋芋"), ["土豆", "马铃薯"]);
        assert!(words.synonyms("剪纸").is_empty());
    }

    #[test]
    fn long_words_have_parts() {
        let words = Words::new("");
        assert_eq!(words.parts("教育资源"), ["教育", "资源"]);
        assert!(words.parts("剪纸").is_empty());
        assert!(words.parts("资源库").is_empty());
    }
}
