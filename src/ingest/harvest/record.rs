//! What a record of another repository is here.

use url::Url;

use crate::catalogue::{
    AUDIENCES, Details, Kind, LICENCES, Mapping, RuleError, TOPICS, Term, licence_href,
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
    let mut description = record.description.clone();
    if !unknown.is_empty() {
        let line = format!("关键词：{}", unknown.join("、"));
        let line: String = line.chars().take(1_900).collect();
        description = format!("{description}\n{line}").trim().to_owned();
    }
    let language = Some(record.language.as_str()).filter(|text| is_language(text));
    let details = Details {
        title: record.title.clone(),
        description,
        language: language.map(str::to_owned).or_else(|| mapping.language.clone()),
        author: record.creators.join("、").chars().take(1_000).collect(),
        licence: licence(&record.rights).unwrap_or_else(|| mapping.licence.clone()),
        topics,
        audiences: audiences(record, mapping),
    };
    let media_type = record.formats.iter().find(|format| is_media_type(format));
    let media_type = media_type.cloned().unwrap_or_default();
    let kind = kind(record, &media_type);
    Ok(Some(Taken { details: details.checked()?, kind, media_type, home, file }))
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
        assert_eq!(taken.details.description, "关键词：窗花");
        assert_eq!(taken.details.licence, "CC-BY-4.0");
        assert_eq!(taken.details.language.as_deref(), Some("zh"));
    }

    #[test]
    fn what_cannot_be_opened_is_left_out() {
        let none = Record { addresses: vec!["javascript:alert(1)".into()], ..record() };
        assert_eq!(take(&none, &Mapping::default()), Ok(None));
        let user = Record { addresses: vec!["https://a:b@c.example/".into()], ..record() };
        assert_eq!(take(&user, &Mapping::default()), Ok(None));
    }
}
