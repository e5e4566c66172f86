//! Answers of other repositories to OAI-PMH: who they are, and their records in Dublin Core or LOM.

use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

use super::xml;

/// Most records of an answer.
pub const MAX_RECORDS: usize = 20_000;

/// Most values of one kind in a record.
pub const MAX_VALUES: usize = 100;

/// Longest value, characters; longer ones are cut.
pub const MAX_CHARS: usize = 1_000;

/// Longest description, characters; longer ones are cut.
pub const MAX_DESCRIPTION: usize = 18_000;

/// Longest resumption token, bytes; a list with a longer one cannot go on.
pub const MAX_TOKEN: usize = 8_000;

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Harvested {
    /// `responseDate`
    pub response_date: String,
    /// The first error: code and message.
    pub error: Option<(String, String)>,
    /// Datestamps have seconds, not only days; of `Identify`.
    pub seconds: bool,
    /// Deleted records are told; of `Identify`.
    pub tells_deleted: bool,
    /// In their order.
    pub records: Vec<Record>,
    /// Where the list goes on.
    pub token: Option<String>,
}

/// A record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its identifier.
    pub identifier: String,
    /// It is gone.
    pub deleted: bool,
    /// The first title, a Chinese one before others.
    pub title: String,
    /// As [`Self::title`].
    pub description: String,
    /// Who made it.
    pub creators: Vec<String>,
    /// What it is about: words and codes.
    pub subjects: Vec<String>,
    /// Of what type it is.
    pub types: Vec<String>,
    /// Media types.
    pub formats: Vec<String>,
    /// Its identifiers and locations, addresses among them.
    pub addresses: Vec<String>,
    /// Its language.
    pub language: String,
    /// What may be done with it.
    pub rights: Vec<String>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
    /// Who else had a part in it: name, and the role in words or as a code; may be empty.
    pub contributors: Vec<(String, String)>,
    /// Who publishes it.
    pub publisher: String,
    /// When it was made; of LOM.
    pub made: String,
    /// Places that it is about.
    pub coverage: Vec<String>,
    /// What it was made from.
    pub sources: Vec<String>,
    /// How hard it is, as LOM has it.
    pub difficulty: String,
    /// How long one learns with it, milliseconds.
    pub learning_ms: Option<i64>,
}

/// Reads an answer.
///
/// # Errors
///
/// A code for the sentence that people read.
pub(super) fn read(bytes: &[u8], max_depth: usize) -> Result<Harvested, &'static str> {
    let text = xml::decode(bytes);
    let mut reading = Reading::default();
    xml::walk(&text, max_depth, |event| reading.take(event)).map_err(|error| match error {
        xml::Error::Malformed(_) => "harvest_not_oai",
        error => error.code(),
    })?;
    if reading.doctype {
        return Err("xml_declarations");
    }
    if reading.too_many {
        return Err("harvest_too_much");
    }
    // One that was cut off has no end.
    if !reading.ended {
        return Err("harvest_not_oai");
    }
    Ok(reading.answer)
}

#[derive(Default)]
struct Contribution {
    role: String,
    /// Names, and roles in words.
    people: Vec<(String, String)>,
    date: String,
}

#[derive(Default)]
struct Reading {
    /// Local names of the elements around, outermost first.
    path: Vec<String>,
    /// The language of the innermost element is Chinese.
    chinese: bool,
    text: String,
    answer: Harvested,
    record: Option<Record>,
    /// Whether the title and the description that were found are Chinese.
    chinese_found: (bool, bool),
    /// A contribution of LOM.
    contribution: Contribution,
    /// Kind of a relation of LOM.
    relation: String,
    doctype: bool,
    too_many: bool,
    ended: bool,
}

impl Reading {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::DocType(_) => self.doctype = true,
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                self.begin(&name, |wanted| xml::attribute(tag, wanted));
                self.path.push(name);
                self.text.clear();
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                self.begin(&name, |wanted| xml::attribute(tag, wanted));
                self.text.clear();
                self.path.push(name);
                self.end();
            }
            Event::Text(text) => self.text.push_str(&text.xml10_content()),
            Event::CData(text) => {
                let text: &str = text;
                self.text.push_str(&quick_xml::escape::escape(text));
            }
            Event::GeneralRef(name) => {
                let name: &str = name;
                self.text.push_str(&format!("&{name};"));
            }
            Event::End(_) => self.end(),
            _ => {}
        }
    }

    fn begin(&mut self, name: &str, attribute: impl Fn(&str) -> Option<String>) {
        let language = attribute("lang").or_else(|| attribute("language")).unwrap_or_default();
        self.chinese = language.to_ascii_lowercase().starts_with("zh");
        match name {
            "error" if self.path.len() == 1 && self.answer.error.is_none() => {
                let code = cut(&attribute("code").unwrap_or_default(), 100);
                self.answer.error = Some((code, String::new()));
            }
            "record" if self.path.len() == 2 => {
                self.record = Some(Record::default());
                self.chinese_found = (false, false);
            }
            "header" => {
                if let Some(record) = &mut self.record {
                    record.deleted = attribute("status").is_some_and(|is| is == "deleted");
                }
            }
            "contribute" => self.contribution = Contribution::default(),
            "relation" => self.relation.clear(),
            _ => {}
        }
    }

    fn end(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let text = xml::text_of(&std::mem::take(&mut self.text));
        let text = text.trim();
        let depth = self.path.len();
        let parent = self.path.last().map_or("", String::as_str);
        match (name.as_str(), depth) {
            ("OAI-PMH", 0) => self.ended = true,
            ("responseDate", 1) => self.answer.response_date = cut(text, 30),
            ("error", 1) => {
                if let Some((_, message)) = &mut self.answer.error
                    && message.is_empty()
                {
                    *message = cut(text, MAX_CHARS);
                }
            }
            ("granularity", 2) => self.answer.seconds = text.contains("ss"),
            ("deletedRecord", 2) => self.answer.tells_deleted = text != "no",
            ("resumptionToken", 2) if !text.is_empty() => {
                self.too_many |= text.len() > MAX_TOKEN;
                self.answer.token = Some(text.to_owned());
            }
            ("record", 2) => {
                if let Some(record) = self.record.take() {
                    self.too_many |= self.answer.records.len() >= MAX_RECORDS;
                    if !self.too_many {
                        self.answer.records.push(record);
                    }
                }
            }
            ("identifier", 4) if parent == "header" => {
                if let Some(record) = &mut self.record {
                    record.identifier = cut(text, MAX_CHARS);
                }
            }
            _ if self.path.get(3).is_some_and(|part| part == "metadata") => {
                let parent = parent.to_owned();
                self.metadata(&name, &parent, text);
            }
            _ => {}
        }
    }

    /// The element `name` within `parent` of a record's metadata.
    fn metadata(&mut self, name: &str, parent: &str, text: &str) {
        let (path, chinese) = (&self.path, self.chinese);
        let within = |part: &str| path.iter().rev().nth(1).is_some_and(|name| name == part);
        let Some(record) = &mut self.record else { return };
        let is_lom = path.get(4).is_some_and(|part| part == "lom");
        let (titled, described) = &mut self.chinese_found;
        if !is_lom {
            match name {
                "title" => better(&mut record.title, titled, text, chinese, MAX_CHARS),
                "description" => {
                    better(&mut record.description, described, text, chinese, MAX_DESCRIPTION);
                }
                "creator" => add(&mut record.creators, text),
                "subject" => add(&mut record.subjects, text),
                "type" => add(&mut record.types, text),
                "format" => add(&mut record.formats, text),
                "identifier" => add(&mut record.addresses, text),
                "language" if record.language.is_empty() => record.language = cut(text, 35),
                "rights" | "license" => add(&mut record.rights, text),
                "contributor" => add_person(&mut record.contributors, with_role(text)),
                "publisher" if record.publisher.is_empty() => {
                    record.publisher = cut(text, MAX_CHARS);
                }
                "coverage" => add(&mut record.coverage, text),
                "source" => add(&mut record.sources, text),
                _ => {}
            }
            return;
        }
        match (parent, name) {
            ("title", "string") if within("general") => {
                better(&mut record.title, titled, text, chinese, MAX_CHARS);
            }
            ("description", "string") if within("general") => {
                better(&mut record.description, described, text, chinese, MAX_DESCRIPTION);
            }
            ("description", "string") if within("rights") => add(&mut record.rights, text),
            ("keyword", "string") => add(&mut record.subjects, text),
            ("taxon", "id") => add(&mut record.subjects, text),
            ("general", "language") if record.language.is_empty() && text != "none" => {
                record.language = cut(text, 35);
            }
            ("learningResourceType", "value") => add(&mut record.types, text),
            ("technical", "format") => add(&mut record.formats, text),
            ("technical", "location") => add(&mut record.addresses, text),
            ("identifier", "entry") if within("general") => add(&mut record.addresses, text),
            ("duration", "duration") => record.duration_ms = duration_ms(text),
            ("coverage", "string") if within("general") => add(&mut record.coverage, text),
            ("difficulty", "value") => record.difficulty = cut(text, 100),
            ("typicalLearningTime", "duration") => record.learning_ms = duration_ms(text),
            ("kind", "value") if within("relation") => self.relation = cut(text, 100),
            ("identifier", "entry")
                if within("resource") && self.relation.eq_ignore_ascii_case("isbasedon") =>
            {
                add(&mut record.sources, text);
            }
            ("role", "value") => self.contribution.role = cut(text, 100),
            ("contribute", "entity") => {
                let role = vcard_field(text, "ROLE").unwrap_or_default();
                self.contribution.people.extend(name_of(text).map(|name| (name, role)));
            }
            ("date", "dateTime") => self.contribution.date = cut(text, 30),
            (_, "contribute") if parent == "lifeCycle" => {
                record.contribution(std::mem::take(&mut self.contribution));
            }
            _ => {}
        }
    }
}

impl Record {
    /// Takes a contribution of LOM.
    fn contribution(&mut self, contribution: Contribution) {
        let Contribution { role, people, date } = contribution;
        if role == "author" && self.made.is_empty() {
            self.made = date;
        }
        for (name, told) in people {
            match role.as_str() {
                "author" => add(&mut self.creators, &name),
                "publisher" if self.publisher.is_empty() => self.publisher = name,
                "publisher" => {}
                _ if told.is_empty() => add_person(&mut self.contributors, (name, role.clone())),
                _ => add_person(&mut self.contributors, (name, told)),
            }
        }
    }
}

fn better(kept: &mut String, kept_chinese: &mut bool, text: &str, chinese: bool, most: usize) {
    if !text.is_empty() && (kept.is_empty() || (chinese && !*kept_chinese)) {
        *kept = cut(text, most);
        *kept_chinese = chinese;
    }
}

fn add(values: &mut Vec<String>, text: &str) {
    if !text.is_empty() && values.len() < MAX_VALUES {
        let text = cut(text, MAX_CHARS);
        if !values.contains(&text) {
            values.push(text);
        }
    }
}

fn add_person(people: &mut Vec<(String, String)>, person: (String, String)) {
    if !person.0.is_empty() && people.len() < MAX_VALUES && !people.contains(&person) {
        people.push(person);
    }
}

/// Name and role of `王丽（主讲）`.
fn with_role(text: &str) -> (String, String) {
    let text = cut(text, MAX_CHARS);
    match text.strip_suffix('）').and_then(|text| text.rsplit_once('（')) {
        Some((name, role)) if !name.trim().is_empty() => {
            (name.trim().to_owned(), role.trim().to_owned())
        }
        _ => (text, String::new()),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

/// The value of a field of a vCard (RFC 2426).
fn vcard_field(vcard: &str, wanted: &str) -> Option<String> {
    let named = |line: &str| {
        let (field, value) = line.trim().split_once(':')?;
        let field = field.split(';').next()?;
        field.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    };
    let value = vcard.lines().find_map(named)?;
    let value = value.replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
    Some(cut(value.trim(), MAX_CHARS)).filter(|value| !value.is_empty())
}

/// The name in a vCard (RFC 2426), or else the text itself.
fn name_of(vcard: &str) -> Option<String> {
    match vcard.contains("BEGIN:VCARD") {
        true => vcard_field(vcard, "FN"),
        false => Some(cut(vcard.trim(), MAX_CHARS)).filter(|name| !name.is_empty()),
    }
}

/// ISO 8601, `PT1H2M3S`, in milliseconds; days and above are not taken.
fn duration_ms(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix("PT")?;
    let mut seconds = 0.0;
    for (unit, each) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = rest.split_once(unit) {
            seconds += number.parse::<f64>().ok()? * each;
            rest = after;
        }
    }
    let fits = rest.is_empty() && (0.0..=31_536_000.0).contains(&seconds);
    fits.then_some((seconds * 1000.0) as i64)
}

/// Whether an answer is one that [`read`] can give.
pub(super) fn holds(answer: &Harvested) -> bool {
    let short = |text: &str| text.chars().count() <= MAX_CHARS;
    let few = |values: &[String]| values.len() <= MAX_VALUES && values.iter().all(|v| short(v));
    answer.response_date.len() <= 120
        && answer.error.as_ref().is_none_or(|(code, message)| short(code) && short(message))
        && answer.token.as_ref().is_none_or(|token| token.len() <= MAX_TOKEN)
        && answer.records.len() <= MAX_RECORDS
        && answer.records.iter().all(|record| {
            let lists = [
                &record.creators,
                &record.subjects,
                &record.types,
                &record.formats,
                &record.addresses,
                &record.rights,
                &record.coverage,
                &record.sources,
            ];
            short(&record.identifier)
                && short(&record.title)
                && record.description.chars().count() <= MAX_DESCRIPTION
                && record.language.chars().count() <= 35
                && lists.iter().all(|list| few(list))
                && [&record.publisher, &record.made, &record.difficulty].iter().all(|v| short(v))
                && record.contributors.len() <= MAX_VALUES
                && record.contributors.iter().all(|(name, role)| short(name) && short(role))
                && [record.duration_ms, record.learning_ms]
                    .iter()
                    .all(|time| time.is_none_or(|ms| (0..=31_536_000_000).contains(&ms)))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = r#"<?xml version="1.0"?>
<o:OAI-PMH xmlns:o="http://www.openarchives.org/OAI/2.0/"><o:responseDate>2026-11-26T09:00:00Z</o:responseDate>
<o:ListRecords><o:record><o:header><o:identifier>oai:a:1</o:identifier></o:header><o:metadata>
<oai_dc:dc xmlns:oai_dc="x" xmlns:dc="y"><dc:title xml:lang="en">Cutting</dc:title>
<dc:title xml:lang="zh">剪纸 &amp; <![CDATA[<窗花>]]></dc:title><dc:subject>a</dc:subject>
<dc:subject>a</dc:subject><dc:identifier>https://a.example/1</dc:identifier></oai_dc:dc></o:metadata></o:record>
<o:record><o:header status="deleted"><o:identifier>oai:a:2</o:identifier></o:header></o:record>
<o:resumptionToken cursor="0">next</o:resumptionToken></o:ListRecords></o:OAI-PMH>"#;

    #[test]
    fn records_and_where_the_list_goes_on() {
        let answer = read(LIST.as_bytes(), 64).expect("an answer");
        assert_eq!(answer.token.as_deref(), Some("next"));
        let [first, second] = &answer.records[..] else { panic!("{answer:?}") };
        assert_eq!((first.identifier.as_str(), first.title.as_str()), ("oai:a:1", "剪纸 & <窗花>"));
        assert_eq!((first.subjects.len(), first.addresses.len()), (1, 1));
        assert!(second.deleted && second.identifier == "oai:a:2");
    }

    #[test]
    fn what_is_cut_off_or_declares_things_is_refused() {
        assert_eq!(read(&LIST.as_bytes()[..600], 64), Err("harvest_not_oai"));
        assert_eq!(read(b"<html></html>", 64), Err("harvest_not_oai"));
        let with_dtd = LIST.replacen("?>", "?><!DOCTYPE o SYSTEM 'file:///etc/passwd'>", 1);
        assert_eq!(read(with_dtd.as_bytes(), 64), Err("xml_declarations"));
        let deep = "<a>".repeat(300);
        assert_eq!(read(deep.as_bytes(), 64), Err("xml_deep"));
    }

    #[test]
    fn durations_are_those_of_iso_8601() {
        assert_eq!(duration_ms("PT1H2M3S"), Some(3_723_000));
        assert_eq!(duration_ms("PT90S"), Some(90_000));
        for wrong in ["P1D", "1:02", "PT-1S", "PTxS", "PT1e300H"] {
            assert_eq!(duration_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn contributions_of_both_forms_are_read() {
        let record = |metadata: &str| {
            let text = format!(
                "<OAI-PMH><ListRecords><record><header/><metadata>{metadata}</metadata></record>\
                 </ListRecords></OAI-PMH>"
            );
            read(text.as_bytes(), 64).expect("an answer").records.remove(0)
        };
        let dc = record(
            "<dc><contributor>王丽（主讲）</contributor><contributor>赵</contributor>\
             <publisher>a</publisher><publisher>b</publisher><coverage>日照</coverage></dc>",
        );
        let person = |name: &str, role: &str| (name.to_owned(), role.to_owned());
        assert_eq!(dc.contributors, [person("王丽", "主讲"), person("赵", "")]);
        assert_eq!((dc.publisher.as_str(), dc.coverage.len()), ("a", 1));
        let lom = record(
            "<lom><lifeCycle><contribute><role><value>author</value></role>\
             <entity>BEGIN:VCARD\nFN:李\nEND:VCARD</entity><date><dateTime>2019</dateTime></date>\
             </contribute><contribute><role><value>editor</value></role>\
             <entity>BEGIN:VCARD\nFN:王丽\nROLE:编辑剪辑\nEND:VCARD</entity></contribute>\
             </lifeCycle><educational><difficulty><value>easy</value></difficulty>\
             <typicalLearningTime><duration>PT1H30M0S</duration></typicalLearningTime></educational>\
             <relation><kind><value>isbasedon</value></kind><resource><identifier>\
             <entry>https://b.example/</entry></identifier></resource></relation></lom>",
        );
        assert_eq!((lom.creators.len(), lom.made.as_str()), (1, "2019"));
        assert_eq!(lom.contributors, [person("王丽", "编辑剪辑")]);
        assert_eq!((lom.difficulty.as_str(), lom.learning_ms), ("easy", Some(5_400_000)));
        assert_eq!(lom.sources, ["https://b.example/"]);
    }

    proptest! {
        #[test]
        fn whatever_is_read_holds(text in r#"(<(/)?(OAI-PMH|ListRecords|record|header|metadata|dc|lom|title|x)( lang="zh")?(/)?>|[a-z&;]{0,4}|剪){0,60}"#) {
            if let Ok(answer) = read(text.as_bytes(), 64) {
                prop_assert!(holds(&answer));
            }
        }
    }
}
