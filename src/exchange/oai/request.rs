//! What a request asks for, and what is wrong with it.

use super::{Format, OaiError, Token};

/// One second, or one day, in milliseconds.
const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 86_400_000;

/// Later than any datestamp (the end of the year 9999), Unix milliseconds.
pub(super) const END_MS: i64 = 253_402_300_800_000;

/// Longest value of an argument, characters.
const MAX_VALUE: usize = 2000;

/// Names and values as they were sent, in their order.
pub type Arguments = Vec<(String, String)>;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Who this repository is.
    Identify,
    /// The formats, of one record if it is named.
    ListMetadataFormats(Option<String>),
    /// The sets.
    ListSets,
    /// One record.
    GetRecord(String, Format),
    /// Headers of records.
    ListIdentifiers(Selection),
    /// Records.
    ListRecords(Selection),
}

/// Which records of a list, from where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Their form.
    pub format: Format,
    /// Of this set only.
    pub set: Option<String>,
    /// Not before, Unix milliseconds.
    pub from_ms: i64,
    /// Before, Unix milliseconds.
    pub before_ms: i64,
    /// Datestamp and resource of the last record that was given.
    pub after: Option<(i64, String)>,
    /// How many were given.
    pub given: u64,
    /// How many there were in all when the list began.
    pub size: Option<u64>,
}

/// Reads a request.
///
/// # Errors
///
/// [`OaiError`] with the first thing that is wrong.
pub fn read(arguments: &[(String, String)]) -> Result<Asked, OaiError> {
    let verbs: Vec<&str> = arguments
        .iter()
        .filter(|(name, _)| name == "verb")
        .map(|(_, value)| value.as_str())
        .collect();
    let [verb] = verbs[..] else {
        let message = "需要且只能有一个 verb。 There must be one verb.";
        return Err(OaiError::new("badVerb", message));
    };
    let allowed: &[&str] = match verb {
        "Identify" => &[],
        "ListMetadataFormats" => &["identifier"],
        "ListSets" => &["resumptionToken"],
        "GetRecord" => &["identifier", "metadataPrefix"],
        "ListIdentifiers" | "ListRecords" => {
            &["from", "until", "set", "metadataPrefix", "resumptionToken"]
        }
        _ => {
            let message = format!("没有动词 {verb}。 There is no verb {verb}.");
            return Err(OaiError::new("badVerb", message));
        }
    };
    let given = Given::read(arguments, allowed)?;
    Ok(match verb {
        "Identify" => Asked::Identify,
        "ListMetadataFormats" => Asked::ListMetadataFormats(given.find("identifier")),
        "ListSets" => match given.find("resumptionToken") {
            // All sets are given at once.
            Some(_) => return Err(Token::bad()),
            None => Asked::ListSets,
        },
        "GetRecord" => {
            let identifier = given.need("identifier")?;
            Asked::GetRecord(identifier, Format::of(&given.need("metadataPrefix")?)?)
        }
        "ListIdentifiers" => Asked::ListIdentifiers(given.selection()?),
        _ => Asked::ListRecords(given.selection()?),
    })
}

/// The arguments beside the verb, each once.
struct Given<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Given<'a> {
    fn read(arguments: &'a [(String, String)], allowed: &[&str]) -> Result<Self, OaiError> {
        let mut given = Self(Vec::new());
        for (name, value) in arguments.iter().filter(|(name, _)| name != "verb") {
            if !allowed.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                let message = format!("不能带参数 {name}。 {name} cannot be given here.");
                return Err(OaiError::argument(message));
            }
            if given.find(name).is_some() {
                let message = format!("参数 {name} 重复。 {name} is given twice.");
                return Err(OaiError::argument(message));
            }
            if value.chars().count() > MAX_VALUE {
                return Err(OaiError::argument(format!("参数 {name} 太长。 {name} is too long.")));
            }
            given.0.push((name, value));
        }
        Ok(given)
    }

    fn find(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    }

    fn need(&self, name: &str) -> Result<String, OaiError> {
        let message = || format!("缺少参数 {name}。 {name} is missing.");
        self.find(name).ok_or_else(|| OaiError::argument(message()))
    }

    fn selection(&self) -> Result<Selection, OaiError> {
        if let Some(token) = self.find("resumptionToken") {
            if self.0.len() > 1 {
                let message = "resumptionToken 不能与其他参数同用。 It cannot go with others.";
                return Err(OaiError::argument(message));
            }
            return Token::read(&token);
        }
        let format = Format::of(&self.need("metadataPrefix")?)?;
        let from = self.find("from").map(|text| moment(&text)).transpose()?;
        let until = self.find("until").map(|text| moment(&text)).transpose()?;
        if let (Some((from_ms, from_is)), Some((until_ms, until_is))) = (from, until) {
            if from_is != until_is {
                let message = "from 与 until 的粒度不同。 from and until differ in granularity.";
                return Err(OaiError::argument(message));
            }
            if from_ms > until_ms {
                let message = "from 晚于 until。 from is later than until.";
                return Err(OaiError::argument(message));
            }
        }
        Ok(Selection {
            format,
            set: self.find("set"),
            from_ms: from.map_or(0, |(ms, _)| ms),
            before_ms: until.map_or(END_MS, |(ms, length_ms)| ms + length_ms),
            after: None,
            given: 0,
            size: None,
        })
    }
}

/// A UTCdatetime: Unix milliseconds of its beginning, and how long it is.
fn moment(text: &str) -> Result<(i64, i64), OaiError> {
    let bad = || {
        let text: String = text.chars().take(40).collect();
        OaiError::argument(format!(
            "{text} 不是 YYYY-MM-DD 或 YYYY-MM-DDThh:mm:ssZ。 It is not a UTCdatetime."
        ))
    };
    let digit_at = |place: usize| !matches!(place, 4 | 7 | 10 | 13 | 16 | 19);
    let digits = text.bytes().enumerate().all(|(at, b)| !digit_at(at) || b.is_ascii_digit());
    let (whole, length_ms) = match text.len() {
        10 => (format!("{text}T00:00:00Z"), DAY_MS),
        20 if text.ends_with('Z') && text.as_bytes()[10] == b'T' => (text.to_owned(), SECOND_MS),
        _ => return Err(bad()),
    };
    let time: jiff::Timestamp = whole.parse().map_err(|_| bad())?;
    if !digits {
        return Err(bad());
    }
    Ok((time.as_millisecond(), length_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(query: &str) -> Result<Asked, OaiError> {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        read(&pairs.into_owned().collect::<Vec<_>>())
    }

    #[track_caller]
    fn code(query: &str) -> &'static str {
        asked(query).expect_err("wrong").code
    }

    #[test]
    fn what_is_wrong_has_its_code() {
        for query in ["", "verb=", "verb=identify", "verb=Identify&verb=Identify"] {
            assert_eq!(code(query), "badVerb", "{query}");
        }
        for query in [
            "verb=Identify&set=a",
            "verb=GetRecord&identifier=a",
            "verb=ListRecords",
            "verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc",
            "verb=ListRecords&metadataPrefix=oai_dc&from=yesterday",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-13-01",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01T00:00:00",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-02T00:00:00Z",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01",
            "verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x",
        ] {
            assert_eq!(code(query), "badArgument", "{query}");
        }
        assert_eq!(code("verb=ListRecords&metadataPrefix=marc"), "cannotDisseminateFormat");
        for query in ["verb=ListRecords&resumptionToken=x", "verb=ListSets&resumptionToken=x"] {
            assert_eq!(code(query), "badResumptionToken", "{query}");
        }
    }

    #[test]
    fn until_includes_its_day_or_second() {
        let range = |query: &str| match asked(query) {
            Ok(Asked::ListRecords(selection)) => (selection.from_ms, selection.before_ms),
            other => panic!("{other:?}"),
        };
        let of = "verb=ListRecords&metadataPrefix=lom";
        assert_eq!(range(of), (0, END_MS));
        assert_eq!(range(&format!("{of}&from=1970-01-02&until=1970-01-02")), (DAY_MS, 2 * DAY_MS));
        let second = "1970-01-01T00:00:05Z";
        assert_eq!(range(&format!("{of}&from={second}&until={second}")), (5000, 6000));
    }

    proptest! {
        #[test]
        fn no_request_panics(pairs: Vec<(String, String)>, value: String) {
            let _ = read(&pairs);
            let verb = ("verb".to_owned(), "ListRecords".to_owned());
            let prefix = ("metadataPrefix".to_owned(), "oai_dc".to_owned());
            let _ = read(&[verb.clone(), prefix, ("from".to_owned(), value.clone())]);
            let _ = read(&[verb, ("resumptionToken".to_owned(), value)]);
        }
    }
}
