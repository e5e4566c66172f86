//! The two languages of the pages, and how numbers, times and sizes are written in them.

use jiff::{Timestamp, tz::TimeZone};

use crate::catalogue::{self, Kind, Stage, label_of};

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese, the default.
    Zh,
    /// English, by choice.
    En,
}

impl Lang {
    /// The Chinese or the English text.
    #[must_use]
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The BCP 47 tag for the `lang` attribute.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The value of the `lang` cookie and of `?lang=`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// Reads the value of the `lang` cookie or of `?lang=`; anything else is `None`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// Chooses by an `Accept-Language` header (RFC 9110 section 12.5.4).
    ///
    /// Chinese unless English has the higher quality; nothing understood is Chinese.
    #[must_use]
    pub fn from_accept(header: &str) -> Self {
        let (mut zh, mut en) = (0.0_f32, 0.0_f32);
        for range in header.split(',').take(32) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            match tag.split('-').next() {
                Some("zh") => zh = zh.max(quality),
                Some("en") => en = en.max(quality),
                _ => {}
            }
        }
        if en > zh { Self::En } else { Self::Zh }
    }

    /// `12,345 项资源` or `12,345 resources`: a count with its noun.
    pub(super) fn count(self, n: u64, zh_noun: &str, en_one: &str, en_many: &str) -> String {
        let n_text = grouped(n);
        match self {
            Self::Zh => format!("{n_text} {zh_noun}"),
            Self::En if n == 1 => format!("1 {en_one}"),
            Self::En => format!("{n_text} {en_many}"),
        }
    }

    /// A day, `2026年11月23日` or `23 Nov 2026`, of Unix time in milliseconds.
    pub(super) fn day(self, unix_ms: i64, zone: &TimeZone) -> String {
        let format = self.pick("%Y年%-m月%-d日", "%-d %b %Y");
        zoned(unix_ms, zone).map_or_else(String::new, |at| at.strftime(format).to_string())
    }

    /// A day with the minute, of Unix time in milliseconds.
    pub(super) fn minute(self, unix_ms: i64, zone: &TimeZone) -> String {
        let format = self.pick("%Y年%-m月%-d日 %H:%M", "%-d %b %Y, %H:%M");
        zoned(unix_ms, zone).map_or_else(String::new, |at| at.strftime(format).to_string())
    }

    /// A duration for reading aloud, `1 小时 2 分` or `1 h 2 min`; under a minute in seconds,
    /// rounded, but never none.
    pub(super) fn spoken(self, duration_ms: u64) -> String {
        let seconds = (duration_ms.saturating_add(500) / 1000).max(1);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match (self, hours, minutes) {
            (Self::Zh, 0, 0) => format!("{seconds} 秒"),
            (Self::En, 0, 0) => format!("{seconds} s"),
            (Self::Zh, 0, _) => format!("{minutes} 分 {} 秒", seconds % 60),
            (Self::En, 0, _) => format!("{minutes} min {} s", seconds % 60),
            (Self::Zh, ..) => format!("{hours} 小时 {minutes} 分"),
            (Self::En, ..) => format!("{hours} h {minutes} min"),
        }
    }
}

fn zoned(unix_ms: i64, zone: &TimeZone) -> Option<jiff::ZonedDateTime> {
    Some(Timestamp::from_millisecond(unix_ms).ok()?.to_zoned_datetime(zone.clone()))
}

/// A day with the minute, of Unix time in milliseconds.
#[must_use]
pub fn minute(lang: Lang, unix_ms: i64, zone: &TimeZone) -> String {
    lang.minute(unix_ms, zone)
}

/// RFC 3339 in UTC, for `datetime` attributes and JSON-LD.
pub(super) fn rfc3339(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(|_| String::new(), |at| at.to_string())
}

/// `1:02:03` or `2:03`; rounded down to the second, as players show it.
#[must_use]
pub fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

/// ISO 8601 duration, `PT1H2M3S`, for schema.org.
pub(super) fn iso_duration(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("PT{}H{}M{}S", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A size in decimal units, as systems show it: `812 KB`, `3.4 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut power = 0;
    let mut scale = 1_u64;
    while power + 1 < units.len() && bytes / scale >= 1000 {
        scale *= 1000;
        power += 1;
    }
    let tenths = u128::from(bytes) * 10 / u128::from(scale);
    if power == 0 || tenths >= 1000 {
        format!("{} {}", tenths / 10, units[power])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, units[power])
    }
}

/// `12345` as `12,345`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The word for a kind of resource.
#[must_use]
pub fn kind_word(lang: Lang, kind: Kind) -> &'static str {
    match kind {
        Kind::Video => lang.pick("视频", "Video"),
        Kind::Audio => lang.pick("音频", "Audio"),
        Kind::Document => lang.pick("文档", "Document"),
        Kind::Image => lang.pick("图片", "Picture"),
        Kind::Package => lang.pick("课件包", "Package"),
    }
}

/// The word for what a search found, `code` being a kind of resource or `course`.
#[must_use]
pub fn found_word(lang: Lang, code: &str) -> Option<&'static str> {
    match code.parse() {
        Ok(kind) => Some(kind_word(lang, kind)),
        Err(_) => (code == indexer::COURSE).then(|| lang.pick("课程", "Course")),
    }
}

/// The word for a stage of a resource.
#[must_use]
pub fn stage_word(lang: Lang, stage: Stage) -> &'static str {
    match stage {
        Stage::Draft => lang.pick("草稿", "Draft"),
        Stage::Processing => lang.pick("处理中", "Processing"),
        Stage::Ready => lang.pick("待发布", "Ready"),
        Stage::Submitted => lang.pick("审核中", "In review"),
        Stage::Published => lang.pick("已发布", "Published"),
        Stage::Withdrawn => lang.pick("已下架", "Withdrawn"),
        Stage::Failed => lang.pick("未成功", "Failed"),
        Stage::Deleted => lang.pick("已删除", "Deleted"),
    }
}

/// What `code` of a controlled list is called in `lang`; an unknown code is its own name.
#[must_use]
pub fn term_word<'a>(terms: &'a [catalogue::Term], code: &'a str, lang: Lang) -> &'a str {
    label_of(terms, code, lang == Lang::Zh)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_players_write_them() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(83_999), "1:23");
        assert_eq!(clock(3_723_000), "1:02:03");
        assert_eq!(iso_duration(3_723_000), "PT1H2M3S");
        assert_eq!(Lang::Zh.spoken(62_000), "1 分 2 秒");
        assert_eq!(Lang::En.spoken(3_723_000), "1 h 2 min");
    }

    #[test]
    fn sizes_keep_two_or_three_figures() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 KB");
        assert_eq!(size(3_449_999), "3.4 MB");
        assert_eq!(size(812_000), "812 KB");
        assert_eq!(size(u64::MAX), "18446744 TB");
    }

    #[test]
    fn the_language_follows_the_qualities() {
        assert_eq!(Lang::from_accept(""), Lang::Zh);
        assert_eq!(Lang::from_accept("en-GB,en;q=0.9"), Lang::En);
        assert_eq!(Lang::from_accept("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(Lang::from_accept("fr, en;q=0.7, zh;q=0.8"), Lang::Zh);
    }

    #[test]
    fn days_are_told_in_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(Lang::Zh.day(1_795_478_400_000, &zone), "2026年11月24日");
        assert_eq!(Lang::En.minute(1_795_478_400_000, &zone), "24 Nov 2026, 08:00");
    }

    proptest! {
        #[test]
        fn no_header_and_no_number_panics(header in ".{0,80}", n: u64, at: i64) {
            let lang = Lang::from_accept(&header);
            prop_assert_eq!(grouped(n).replace(',', ""), n.to_string());
            let _ = (size(n), clock(n), lang.spoken(n), lang.day(at, &TimeZone::UTC), rfc3339(at));
        }
    }
}
