//! The columns of a table of resources: one line each, how it is read from a resource and how it is
//! said anew. A field that is added to `Details` and `Edit` needs a line here, and is then in
//! exports, imports and changes of many at once.

use crate::catalogue::{
    AUDIENCES, DIALECTS, DIFFICULTIES, Details, EVIDENCE, FieldValue, HERITAGE, LANGUAGES,
    LICENCES, Library, LocalMark, Resource, TOPICS, Term,
};
use crate::ingest::stage::Edit;
use crate::pages::{Lang, kind_word, stage_word};
use crate::table::{Choice, tidy};

/// A resource and its library.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Its library.
    pub library: &'a Library,
}

/// How headings and values of lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// In a language.
    In(Lang),
    /// As the API has them.
    Codes,
}

impl Words {
    /// All of them: each is understood in a table.
    pub const ALL: [Self; 3] = [Self::In(Lang::Zh), Self::In(Lang::En), Self::Codes];

    fn pick<'a>(self, code: &'a str, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Codes => code,
            Self::In(lang) => lang.pick(zh, en),
        }
    }

    fn term(self, term: &Term) -> &'static str {
        self.pick(term.code, term.zh, term.en)
    }
}

/// What is said anew by the value of a column; what was said is given for fields of several columns.
type Set = fn(&mut Edit, &Details, FieldValue);

/// A column.
pub struct Column {
    /// As the API calls it.
    pub code: &'static str,
    zh: &'static str,
    en: &'static str,
    /// What it holds, in Chinese and English.
    help: (&'static str, &'static str),
    /// Characters that it is wide in a spreadsheet.
    width: u16,
    /// What is chosen from; none: any text.
    pub terms: &'static [Term],
    /// Texts other than the terms can be written too.
    pub free: bool,
    /// It holds several values.
    pub many: bool,
    get: fn(Subject<'_>, Words) -> FieldValue,
    /// `None`: it is there to be read.
    set: Option<Set>,
}

const fn shown(
    code: &'static str,
    (zh, en): (&'static str, &'static str),
    width: u16,
    get: fn(Subject<'_>, Words) -> FieldValue,
) -> Column {
    let help = ("只读，不能修改。", "To be read; it cannot be changed here.");
    Column { code, zh, en, help, width, terms: &[], free: true, many: false, get, set: None }
}

const fn one(
    code: &'static str,
    (zh, en): (&'static str, &'static str),
    help: (&'static str, &'static str),
    (width, terms): (u16, &'static [Term]),
    get: fn(Subject<'_>, Words) -> FieldValue,
    set: Set,
) -> Column {
    Column { code, zh, en, help, width, terms, free: true, many: false, get, set: Some(set) }
}

const fn many(
    code: &'static str,
    (zh, en): (&'static str, &'static str),
    help: (&'static str, &'static str),
    (width, terms): (u16, &'static [Term]),
    get: fn(Subject<'_>, Words) -> FieldValue,
    set: Set,
) -> Column {
    let free = terms.is_empty();
    Column { code, zh, en, help, width, terms, free, many: true, get, set: Some(set) }
}

/// By which rows find their resource.
pub const ID: &str = "id";

/// By which it is seen that somebody changed a resource since the table was made.
pub const CHANGED: &str = "changed";

/// All columns, in their order.
#[rustfmt::skip]
pub static COLUMNS: &[Column] = &[
    shown(ID, ("编号", "Id"), 34, |s, _| text(&id_of(s.resource))),
    one("title", ("标题", "Title"), ("必填，最多 1024 个字。", "Needed; up to 1,024 characters."), (40, &[]),
        |s, _| text(&s.resource.details.title), |e, _, v| e.title = Some(one_of(v))),
    one("description", ("简介", "Description"), ("最多 20000 个字，可以分行。", "Up to 20,000 characters, in several lines."), (50, &[]),
        |s, _| text(&s.resource.details.description), |e, _, v| e.description = Some(one_of(v))),
    one("author", ("作者", "Author"), ("谁制作的。", "Who made it."), (16, &[]),
        |s, _| text(&s.resource.details.author), |e, _, v| e.author = Some(one_of(v))),
    one("language", ("语言", "Language"), ("从列表选，或写语言代码（BCP 47），如 zh、en。", "From the list, or a code (BCP 47) such as zh."), (12, LANGUAGES),
        |s, _| text(s.resource.details.language.as_deref().unwrap_or("")), |e, _, v| e.language = Some(one_of(v))),
    many("topics", ("主题", "Topics"), ("可以有几个，用分号隔开。", "Several are parted by semicolons."), (24, TOPICS),
        |s, _| texts(&s.resource.details.topics), |e, _, v| e.topics = Some(many_of(v))),
    many("audiences", ("适用人群", "Audiences"), ("可以有几个，用分号隔开。", "Several are parted by semicolons."), (20, AUDIENCES),
        |s, _| texts(&s.resource.details.audiences), |e, _, v| e.audiences = Some(many_of(v))),
    one("licence", ("许可", "Licence"), ("从列表选，或写明许可。", "From the list, or in words."), (22, LICENCES),
        |s, _| text(&s.resource.details.licence), |e, _, v| e.licence = Some(one_of(v))),
    many("keywords", ("关键词", "Keywords"), ("可以有几个，用分号隔开。", "Several are parted by semicolons."), (24, &[]),
        |s, _| texts(&s.resource.details.particulars.keywords), |e, _, v| e.particulars.keywords = Some(many_of(v))),
    one("publisher", ("出版者", "Publisher"), ("不填就是资源库。", "Its library when empty."), (18, &[]),
        |s, _| text(&s.resource.details.particulars.publisher), |e, _, v| e.particulars.publisher = Some(one_of(v))),
    one("made", ("制作时间", "Made"), ("如 2019、2019-05、2019-05-01。", "Such as 2019, 2019-05, 2019-05-01."), (12, &[]),
        |s, _| text(&s.resource.details.particulars.made), |e, _, v| e.particulars.made = Some(one_of(v))),
    one("place", ("相关地点", "Place"), ("", ""), (18, &[]),
        |s, _| text(&s.resource.details.particulars.place), |e, _, v| e.particulars.place = Some(one_of(v))),
    one("difficulty", ("难度", "Difficulty"), ("从列表选。", "From the list."), (10, DIFFICULTIES),
        |s, _| text(&s.resource.details.particulars.difficulty), |e, _, v| e.particulars.difficulty = Some(one_of(v))),
    one("learning_minutes", ("学习时长（分钟）", "Learning minutes"), ("整数。", "A whole number."), (10, &[]),
        |s, _| number(s.resource.details.particulars.learning_minutes), |e, _, v| e.particulars.learning_minutes = Some(minutes(&one_of(v)))),
    one("rights_holder", ("权利人", "Rights holder"), ("", ""), (18, &[]),
        |s, _| text(&s.resource.details.particulars.rights_holder), |e, _, v| e.particulars.rights_holder = Some(one_of(v))),
    one("evidence", ("权利依据", "Evidence of rights"), ("从列表选。", "From the list."), (16, EVIDENCE),
        |s, _| text(&s.resource.details.particulars.evidence), |e, _, v| e.particulars.evidence = Some(one_of(v))),
    one("local_origin", ("地方特色：来自哪里", "Local: origin"), ("清空就是没有地方特色。", "Empty: it is not local."), (18, &[]),
        |s, _| local(s, |mark| &mark.origin), |e, d, v| set_local(e, d, |mark| mark.origin = one_of(v))),
    one("local_bearer", ("地方特色：传承人", "Local: bearer"), ("", ""), (18, &[]),
        |s, _| local(s, |mark| &mark.bearer), |e, d, v| set_local(e, d, |mark| mark.bearer = one_of(v))),
    one("local_dialect", ("地方特色：方言", "Local: dialect"), ("从列表选。", "From the list."), (14, DIALECTS),
        |s, _| local(s, |mark| &mark.dialect), |e, d, v| set_local(e, d, |mark| mark.dialect = one_of(v))),
    one("local_heritage", ("地方特色：非遗名录", "Local: heritage"), ("从列表选。", "From the list."), (14, HERITAGE),
        |s, _| local(s, |mark| &mark.heritage), |e, d, v| set_local(e, d, |mark| mark.heritage = one_of(v))),
    shown("library", ("资源库", "Library"), 14, |s, _| text(s.library.slug.as_str())),
    shown("kind", ("类型", "Kind"), 8, |s, words| {
        let kind = s.resource.kind;
        text(words.pick(kind.as_str(), kind_word(Lang::Zh, kind), kind_word(Lang::En, kind)))
    }),
    shown("stage", ("状态", "Stage"), 10, |s, words| {
        let stage = s.resource.stage;
        text(words.pick(stage.as_str(), stage_word(Lang::Zh, stage), stage_word(Lang::En, stage)))
    }),
    shown("file_name", ("文件名", "File name"), 28, |s, _| text(&s.resource.file_name)),
    shown("size_bytes", ("字节数", "Bytes"), 12, |s, _| text(&s.resource.size_bytes.to_string())),
    shown("duration_ms", ("时长（毫秒）", "Duration (ms)"), 12, |s, _| number(s.resource.duration_ms)),
    shown("pages", ("页数", "Pages"), 8, |s, _| number(s.resource.pages)),
    shown("created", ("上传时间", "Created"), 22, |s, _| time(Some(s.resource.created_ms))),
    shown("published", ("发布时间", "Published"), 22, |s, _| time(s.resource.published_ms)),
    shown(CHANGED, ("修改序号", "Change number"), 12, |s, _| text(&s.resource.changed.to_string())),
];

/// The column that `heading` means: its code, or what it is called in a language.
#[must_use]
pub fn by_heading(heading: &str) -> Option<&'static Column> {
    let heading = heading.trim();
    let is = |name: &str| name.eq_ignore_ascii_case(heading);
    COLUMNS.iter().find(|column| is(column.code) || is(column.zh) || is(column.en))
}

/// The column of this code.
#[must_use]
pub fn by_code(code: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.code == code)
}

impl Column {
    /// As it is headed.
    #[must_use]
    pub fn heading(&self, words: Words) -> &'static str {
        words.pick(self.code, self.zh, self.en)
    }

    /// Whether it can be changed.
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.set.is_some()
    }

    /// What the resource says, in codes.
    #[must_use]
    pub fn value(&self, subject: Subject<'_>) -> FieldValue {
        (self.get)(subject, Words::Codes)
    }

    /// What the resource says, as a cell.
    #[must_use]
    pub fn cell(&self, subject: Subject<'_>, words: Words) -> String {
        self.worded(&(self.get)(subject, words), words)
    }

    /// `value` in words; several with semicolons between.
    #[must_use]
    pub fn worded(&self, value: &FieldValue, words: Words) -> String {
        let word = |code: &str| match self.terms.iter().find(|term| term.code == code) {
            Some(term) => words.term(term).to_owned(),
            None => code.to_owned(),
        };
        match value {
            FieldValue::One(text) => word(text),
            FieldValue::Many(texts) => {
                let between = if words == Words::In(Lang::Zh) { "；" } else { "; " };
                texts.iter().map(|text| word(text)).collect::<Vec<_>>().join(between)
            }
        }
    }

    /// What a cell says, in codes where it holds words of the list.
    #[must_use]
    pub fn read(&self, cell: &str) -> FieldValue {
        let code = |word: &str| {
            let is = |name: &str| name.eq_ignore_ascii_case(word);
            let known = self.terms.iter().find(|t| is(t.code) || is(t.zh) || is(t.en));
            known.map_or_else(|| word.to_owned(), |term| term.code.to_owned())
        };
        if !self.many {
            return FieldValue::One(code(cell));
        }
        let parts: &[char] =
            if self.free { &[';', '；', '\n'] } else { &[';', '；', '、', '，', ',', '\n'] };
        let mut values: Vec<String> = Vec::new();
        for part in cell.split(parts).map(str::trim).filter(|part| !part.is_empty()) {
            let value = code(part);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        FieldValue::Many(values)
    }

    /// Whether `cell` is what the resource says, in whatever words.
    #[must_use]
    pub fn says(&self, cell: &str, subject: Subject<'_>) -> bool {
        Words::ALL.iter().any(|words| tidy(&self.cell(subject, *words)) == cell)
    }

    /// Says `value` in `edit`, an edit of `before`; false when the column is there to be read.
    pub fn set(&self, edit: &mut Edit, before: &Details, value: FieldValue) -> bool {
        let Some(set) = self.set else { return false };
        set(edit, before, value);
        true
    }

    /// As the column of a spreadsheet.
    #[must_use]
    pub fn in_book(&self, words: Words) -> crate::table::Column {
        let choice =
            |term: &Term| Choice { word: words.term(term).to_owned(), code: term.code.to_owned() };
        let help = match words {
            Words::In(Lang::Zh) => self.help.0,
            _ => self.help.1,
        };
        crate::table::Column {
            heading: self.heading(words).to_owned(),
            help: format!("{help} ({})", self.code),
            width: self.width,
            choices: self.terms.iter().map(choice).collect(),
            open: self.free || self.many,
            fixed: !self.may_change(),
        }
    }
}

/// The id of a resource. With hyphens where a spreadsheet would take it for a number.
fn id_of(resource: &Resource) -> String {
    let id = resource.id.to_string();
    let number = id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'e');
    match (number, id.get(..8), id.get(8..12), id.get(12..)) {
        (true, Some(first), Some(second), Some(rest)) => {
            format!("{first}-{second}-{}-{}-{}", &rest[..4], &rest[4..8], &rest[8..])
        }
        _ => id,
    }
}

fn text(text: &str) -> FieldValue {
    FieldValue::One(text.to_owned())
}

fn texts(texts: &[String]) -> FieldValue {
    FieldValue::Many(texts.to_vec())
}

/// 0 for an empty cell, and -1, which is refused, for what is no number.
fn minutes(cell: &str) -> i64 {
    if cell.is_empty() { 0 } else { cell.parse().unwrap_or(-1) }
}

fn local(subject: Subject<'_>, field: fn(&LocalMark) -> &str) -> FieldValue {
    text(subject.resource.details.particulars.local.as_ref().map_or("", field))
}

/// Changes the mark of what is local; one without anything is none.
fn set_local(edit: &mut Edit, old: &Details, change: impl FnOnce(&mut LocalMark)) {
    let said = edit.particulars.local.take();
    let mut mark = said.unwrap_or_else(|| old.particulars.local.clone()).unwrap_or_default();
    change(&mut mark);
    edit.particulars.local = Some((mark != LocalMark::default()).then_some(mark));
}

fn number(number: Option<i64>) -> FieldValue {
    FieldValue::One(number.map(|number| number.to_string()).unwrap_or_default())
}

/// RFC 3339, which spreadsheets leave as it is.
fn time(unix_ms: Option<i64>) -> FieldValue {
    let time = unix_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    FieldValue::One(time.map(|time| time.to_string()).unwrap_or_default())
}

fn one_of(value: FieldValue) -> String {
    match value {
        FieldValue::One(text) => text,
        FieldValue::Many(texts) => texts.join("; "),
    }
}

fn many_of(value: FieldValue) -> Vec<String> {
    match value {
        FieldValue::One(text) => vec![text],
        FieldValue::Many(texts) => texts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Slug, Stage, test_resource};

    fn library() -> Library {
        Library::new("main".parse::<Slug>().expect("a slug"), "", 0)
    }

    #[test]
    fn every_column_is_found_by_each_of_its_names() {
        for column in COLUMNS {
            for name in Words::ALL.map(|words| column.heading(words)) {
                assert_eq!(by_heading(name).map(|found| found.code), Some(column.code), "{name}");
            }
        }
        assert!(by_heading("uploaded_by").is_none());
    }

    #[test]
    fn what_is_written_in_any_words_says_the_same() {
        let (mut resource, library) = (test_resource(Stage::Ready), library());
        resource.details.topics = vec!["law".into(), "culture-arts".into()];
        resource.details.language = Some("zh".into());
        resource.details.licence = "自己的话".into();
        resource.details.description = "一\r\n=二".into();
        let subject = Subject { resource: &resource, library: &library };
        for column in COLUMNS {
            for words in Words::ALL {
                let cell = tidy(&column.cell(subject, words));
                assert!(column.says(&cell, subject), "{}: {cell}", column.code);
                if column.may_change() && column.code != "description" {
                    assert!(column.read(&cell).is_same(&column.value(subject)), "{cell}");
                }
            }
        }
    }

    #[test]
    fn lists_are_read_with_any_separator() {
        let topics = by_code("topics").expect("it is there");
        let read = topics.read("法治教育、Science；culture-arts, 法治教育");
        assert_eq!(
            read,
            FieldValue::Many(["law", "science", "culture-arts"].map(String::from).into())
        );
    }

    #[test]
    fn an_id_is_never_a_number() {
        let mut resource = test_resource(Stage::Ready);
        resource.id = "01939000000070008000000000000e12".parse().expect("an id");
        assert_eq!(id_of(&resource), "01939000-0000-7000-8000-000000000e12");
        assert_eq!(id_of(&resource).parse(), Ok(resource.id));
    }
}
