//! What a record of another repository is here.

use url::Url;

use crate::catalogue::{
    AUDIENCES, Contributor, DIFFICULTIES, Details, DivisionCode, Kind, LICENCES, Mapping,
    Particulars, ROLES, RuleError, TOPICS, Term, licence_href,
};
use crate::media::records::Record;

/// A record as a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) details: Details,
    pub(super) kind: Kind,
    pub(super) media_type: String,
    /// Where it is opened.
    pub(super) home: String,
    /// Where its file is, when the record has an address for that.
    pub(super) file: Option<String>,
}

/// What `record` is here; nothing when it has no title or no address where it can be opened.
///
/// # Errors
///
/// [`RuleError::BadField`] when it cannot be kept.
pub(super) fn take(record: &Record, mapping: &Mapping) -> Result<Option<Taken>, RuleError> {
    // Repositories name the page first, and then, perhaps, the file.
    let mut addresses = record.addresses.iter().filter_map(|address| web(address));
    let Some(home) = addresses.next() else { return Ok(None) };
    let file = addresses.next();
    if record.title.trim().is_empty() {
        return Ok(None);
    }
    let (topics, unknown) = topics(&record.subjects, mapping);
    let language = Some(record.language.as_str()).filter(|text| is_language(text));
    let details = Details {
        title: record.title.clone(),
        description: record.description.clone(),
        language: language.map(str::to_owned).or_else(|| mapping.language.clone()),
        author: record.creators.join("、").chars().take(1_000).collect(),
        licence: licence(&record.rights).unwrap_or_else(|| mapping.licence.clone()),
        topics,
        audiences: audiences(record, mapping),
        particulars: particulars(record, unknown),
    };
    let media_type = record.formats.iter().find(|format| is_media_type(format));
    let media_type = media_type.cloned().unwrap_or_default();
    let kind = kind(record, &media_type);
    Ok(Some(Taken { details: details.checked()?, kind, media_type, home, file }))
}

/// What else a record says; what cannot be kept is left out. The local mark is none of it: who
/// vouches for it is here, not there.
fn particulars(record: &Record, subjects: Vec<String>) -> Particulars {
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let role = |told: &str| code_of(ROLES, told).unwrap_or_else(|| "other".to_owned());
    let contributor =
        |(name, told): &(String, String)| Contributor { name: short(name, 200), role: role(told) };
    let (codes, places): (Vec<_>, Vec<_>) =
        record.coverage.iter().partition(|place| place.parse::<DivisionCode>().is_ok());
    let difficulty = code_of(DIFFICULTIES, &record.difficulty.replace(' ', "-"));
    let sources = record.sources.iter();
    Particulars {
        keywords: subjects.iter().take(30).map(|word| short(word, 60)).collect(),
        contributors: record.contributors.iter().take(30).map(contributor).collect(),
        publisher: short(&record.publisher, 200),
        made: day_of(&record.made),
        place: places.first().map(|place| short(place, 200)).unwrap_or_default(),
        place_code: codes.first().map(|code| (*code).clone()).unwrap_or_default(),
        difficulty: difficulty.unwrap_or_default(),
        learning_minutes: record.learning_ms.map(|ms| ms / 60_000).filter(|n| *n <= 60_000),
        source_url: sources.into_iter().find_map(|source| web(source)).unwrap_or_default(),
        ..Particulars::default()
    }
}

/// The year, month or day of a date, if it is one that can be kept.
fn day_of(date: &str) -> String {
    let day = date.split('T').next().unwrap_or_default().to_owned();
    let made = Particulars { made: day, ..Particulars::default() };
    made.checked().map(|kept| kept.made).unwrap_or_default()
}

fn web(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    (plain && url.username().is_empty() && url.password().is_none()).then(|| url.to_string())
}

/// Topics by code, by what they are called, and by what the mapping says; and all other subjects.
fn topics(subjects: &[String], mapping: &Mapping) -> (Vec<String>, Vec<String>) {
    let (mut topics, mut unknown) = (mapping.topics.clone(), Vec::new());
    for subject in subjects {
        let mapped = mapping.subjects.get(subject).cloned();
        match mapped.or_else(|| code_of(TOPICS, subject)) {
            Some(code) if !topics.contains(&code) => topics.push(code),
            Some(_) => {}
            None => unknown.push(subject.clone()),
        }
    }
    (topics, unknown)
}

fn audiences(record: &Record, mapping: &Mapping) -> Vec<String> {
    let mut audiences = mapping.audiences.clone();
    for subject in &record.subjects {
        if let Some(code) = code_of(AUDIENCES, subject)
            && !audiences.contains(&code)
        {
            audiences.push(code);
        }
    }
    audiences
}

fn code_of(terms: &[Term], word: &str) -> Option<String> {
    let is =
        |term: &&Term| term.code == word || term.zh == word || term.en.eq_ignore_ascii_case(word);
    terms.iter().find(is).map(|term| term.code.to_owned())
}

fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len())
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

fn is_media_type(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
    };
    text.len() <= 100 && text.split_once('/').is_some_and(|(a, b)| plain(a) && plain(b))
}

/// The licence that is named, by its address or its code, else the first words about rights.
fn licence(rights: &[String]) -> Option<String> {
    let named = |text: &String| {
        let plain = text.replace("http://", "https://").to_lowercase();
        let is = |term: &&Term| {
            let there = licence_href(term.code)
                .is_some_and(|href| plain.contains(href.trim_end_matches('/')));
            there || text.trim() == term.code
        };
        LICENCES.iter().find(is).map(|term| term.code.to_owned())
    };
    let first = || rights.first().map(|text| text.chars().take(200).collect());
    rights.iter().find_map(named).or_else(first)
}

/// By the DCMI type, LOM's type or the media type; what says nothing is a document.
fn kind(record: &Record, media_type: &str) -> Kind {
    let is = |words: &[&str]| {
        let fits = |kind: &String| words.iter().any(|word| kind.eq_ignore_ascii_case(word));
        record.types.iter().any(fits)
    };
    let major = media_type.split('/').next().unwrap_or_default();
    match major {
        "video" => return Kind::Video,
        "audio" => return Kind::Audio,
        "image" => return Kind::Image,
        _ => {}
    }
    if is(&["MovingImage", "Moving Image", "video"]) {
        Kind::Video
    } else if is(&["Sound", "audio"]) {
        Kind::Audio
    } else if is(&["StillImage", "Still Image", "Image", "picture"]) {
        Kind::Image
    } else if is(&["InteractiveResource", "Interactive Resource", "Software", "simulation"]) {
        Kind::Package
    } else {
        Kind::Document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            identifier: "oai:a:1".into(),
            title: "剪纸".into(),
            subjects: vec!["文化艺术".into(), "窗花".into(), "Folk".into()],
            types: vec!["MovingImage".into()],
            addresses: ["isbn:1", "https://a.example/1", "https://a.example/1.mp4"]
                .map(str::to_owned)
                .to_vec(),
            rights: vec!["见 http://creativecommons.org/licenses/by/4.0/".into()],
            language: "中文".into(),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_is_mapped() {
        let mapping = Mapping {
            language: Some("zh".into()),
            subjects: [("Folk".to_owned(), "values".to_owned())].into(),
            ..Mapping::default()
        };
        let taken = take(&record(), &mapping).expect("kept").expect("taken");
        assert_eq!((taken.kind, taken.home.as_str()), (Kind::Video, "https://a.example/1"));
        assert_eq!(taken.file.as_deref(), Some("https://a.example/1.mp4"));
        assert_eq!(taken.details.topics, ["culture-arts", "values"]);
        assert_eq!(taken.details.description, "");
        assert_eq!(taken.details.particulars.keywords, ["窗花"]);
        assert_eq!(taken.details.licence, "CC-BY-4.0");
        assert_eq!(taken.details.language.as_deref(), Some("zh"));
    }

    #[test]
    fn what_cannot_be_kept_of_particulars_is_left_out() {
        let record = Record {
            contributors: vec![
                ("王丽".into(), "主讲".into()),
                ("赵".into(), "subject matter expert".into()),
            ],
            publisher: "出".repeat(300),
            made: "2019-05-01T00:00:00Z".into(),
            coverage: vec!["371102".into(), "日照".into()],
            sources: vec!["ISBN 1".into(), "https://b.example/2".into()],
            difficulty: "very easy".into(),
            learning_ms: Some(90 * 60_000),
            ..record()
        };
        let taken = take(&record, &Mapping::default()).expect("kept").expect("taken");
        let kept = taken.details.particulars;
        let people: Vec<_> =
            kept.contributors.iter().map(|one| (one.name.as_str(), one.role.as_str())).collect();
        assert_eq!(people, [("王丽", "teacher"), ("赵", "other")]);
        assert_eq!((kept.publisher.chars().count(), kept.made.as_str()), (200, "2019-05-01"));
        assert_eq!((kept.place.as_str(), kept.place_code.as_str()), ("日照", "371102"));
        assert_eq!(kept.source_url, "https://b.example/2");
        assert_eq!((kept.difficulty.as_str(), kept.learning_minutes), ("very-easy", Some(90)));
        assert_eq!((day_of("某年"), day_of("2019")), (String::new(), "2019".to_owned()));
    }

    #[test]
    fn what_cannot_be_opened_is_left_out() {
        let none = Record { addresses: vec!["javascript:alert(1)".into()], ..record() };
        assert_eq!(take(&none, &Mapping::default()), Ok(None));
        let user = Record { addresses: vec!["https://a:b@c.example/".into()], ..record() };
        assert_eq!(take(&user, &Mapping::default()), Ok(None));
    }
}
