//! Filters that were typed with the words of a search: `库:main`, `类型：视频`, `topic:law`.

use super::search::SearchQuery;
use crate::catalogue::{AUDIENCES, Kind, LANGUAGES, TOPICS, Term};
use crate::pages::{Lang, kind_word};

/// What can be named before a colon. `作者` and `标题` are the index's own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Library,
    Kind,
    Topic,
    Audience,
    Language,
}

const NAMES: [(&str, Name); 15] = [
    ("库", Name::Library),
    ("资源库", Name::Library),
    ("library", Name::Library),
    ("类型", Name::Kind),
    ("類型", Name::Kind),
    ("kind", Name::Kind),
    ("主题", Name::Topic),
    ("主題", Name::Topic),
    ("topic", Name::Topic),
    ("人群", Name::Audience),
    ("适用人群", Name::Audience),
    ("audience", Name::Audience),
    ("语言", Name::Language),
    ("語言", Name::Language),
    ("language", Name::Language),
];

const KINDS: [Kind; 5] = [Kind::Video, Kind::Audio, Kind::Document, Kind::Image, Kind::Package];

/// Whether `q` names a library, so that their names are needed.
pub(super) fn names_library(q: &str) -> bool {
    q.split_whitespace().any(|piece| named(piece).is_some_and(|(name, _)| name == Name::Library))
}

/// `query` with what its words name among its filters. `libraries` are slugs and names. What is
/// named but unknown stays among the words.
pub(super) fn narrow(query: &SearchQuery, libraries: &[(String, String)]) -> SearchQuery {
    let mut narrowed = query.clone();
    let mut words = Vec::new();
    for piece in query.q.split_whitespace() {
        let known =
            named(piece).and_then(|(name, value)| Some((name, code(name, value, libraries)?)));
        let Some((name, code)) = known else {
            words.push(piece);
            continue;
        };
        let list = match name {
            Name::Library => &mut narrowed.library,
            Name::Kind => &mut narrowed.kind,
            Name::Topic => &mut narrowed.topic,
            Name::Audience => &mut narrowed.audience,
            Name::Language => &mut narrowed.language,
        };
        if !list.split(',').any(|other| other == code) {
            list.push_str(if list.is_empty() { "" } else { "," });
            list.push_str(&code);
        }
    }
    if words.len() < query.q.split_whitespace().count() {
        narrowed.q = words.join(" ");
    }
    narrowed
}

/// What `piece` names, and the value.
fn named(piece: &str) -> Option<(Name, &str)> {
    let (name, value) = piece.split_once([':', '：'])?;
    let (_, name) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    (!value.is_empty()).then_some((*name, value))
}

fn code(name: Name, value: &str, libraries: &[(String, String)]) -> Option<String> {
    let terms = match name {
        Name::Library => {
            let is = |(slug, title): &&(String, String)| slug == value || title == value;
            return libraries.iter().find(is).map(|(slug, _)| slug.clone());
        }
        Name::Kind => {
            let is = |kind: &&Kind| {
                [kind.as_str(), kind_word(Lang::Zh, **kind), kind_word(Lang::En, **kind)]
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(value))
            };
            let course = ["course", "课程", "課程"].iter().any(|w| w.eq_ignore_ascii_case(value));
            let kind = KINDS.iter().find(is).map(|kind| kind.as_str());
            return kind.or(course.then_some(indexer::COURSE)).map(str::to_owned);
        }
        Name::Topic => TOPICS,
        Name::Audience => AUDIENCES,
        Name::Language => LANGUAGES,
    };
    let is = |term: &&Term| {
        term.code.eq_ignore_ascii_case(value)
            || term.zh == value
            || term.en.eq_ignore_ascii_case(value)
    };
    terms.iter().find(is).map(|term| term.code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(q: &str) -> (String, String, String, String) {
        let query = SearchQuery { q: q.into(), ..SearchQuery::default() };
        let libraries = [("lanshan".to_owned(), "岚山区图书馆".to_owned())];
        let SearchQuery { q, library, kind, topic, .. } = narrow(&query, &libraries);
        (q, library, kind, topic)
    }

    fn owned(expected: [&str; 4]) -> (String, String, String, String) {
        let [q, library, kind, topic] = expected.map(str::to_owned);
        (q, library, kind, topic)
    }

    #[test]
    fn words_name_filters() {
        assert_eq!(narrowed("剪纸 类型：视频"), owned(["剪纸", "", "video", ""]));
        assert_eq!(narrowed("剪纸 类型:课程"), owned(["剪纸", "", "course", ""]));
        assert_eq!(narrowed("库:岚山区图书馆 KIND:audio"), owned(["", "lanshan", "audio", ""]));
        assert_eq!(narrowed("topic:law 主题:健康生活 x"), owned(["x", "", "", "law,health"]));
    }

    #[test]
    fn what_is_unknown_stays() {
        for q in ["库:没有 剪纸", "比例:一", "类型:", ":视频", "作者:李白", "a  b"]
        {
            assert_eq!(narrowed(q), owned([q, "", "", ""]));
        }
        assert!(names_library("x 库:y") && !names_library("类型:视频"));
    }
}
