//! Language tags: the three letters of containers (ISO 639-2) as BCP 47 (RFC 5646).

/// ISO 639-2, both the bibliographic and the terminological codes, to ISO 639-1.
#[rustfmt::skip]
const SHORT: [(&str, &str); 122] = [
    ("afr", "af"), ("alb", "sq"), ("sqi", "sq"), ("amh", "am"), ("ara", "ar"), ("arm", "hy"),
    ("hye", "hy"), ("asm", "as"), ("aze", "az"), ("bak", "ba"), ("baq", "eu"), ("eus", "eu"),
    ("bel", "be"), ("ben", "bn"), ("bod", "bo"), ("tib", "bo"), ("bos", "bs"), ("bre", "br"),
    ("bul", "bg"), ("bur", "my"), ("mya", "my"), ("cat", "ca"), ("ces", "cs"), ("cze", "cs"),
    ("chi", "zh"), ("zho", "zh"), ("cym", "cy"), ("wel", "cy"), ("dan", "da"), ("deu", "de"),
    ("ger", "de"), ("div", "dv"), ("dut", "nl"), ("nld", "nl"), ("ell", "el"), ("gre", "el"),
    ("eng", "en"), ("epo", "eo"), ("est", "et"), ("fao", "fo"), ("fas", "fa"), ("per", "fa"),
    ("fin", "fi"), ("fra", "fr"), ("fre", "fr"), ("fry", "fy"), ("geo", "ka"), ("kat", "ka"),
    ("gla", "gd"), ("gle", "ga"), ("glg", "gl"), ("guj", "gu"), ("hat", "ht"), ("hau", "ha"),
    ("heb", "he"), ("hin", "hi"), ("hrv", "hr"), ("hun", "hu"), ("ibo", "ig"), ("ice", "is"),
    ("isl", "is"), ("iii", "ii"), ("ind", "id"), ("ita", "it"), ("jav", "jv"), ("jpn", "ja"),
    ("kan", "kn"), ("kas", "ks"), ("kaz", "kk"), ("khm", "km"), ("kir", "ky"), ("kor", "ko"),
    ("kur", "ku"), ("lao", "lo"), ("lat", "la"), ("lav", "lv"), ("lit", "lt"), ("ltz", "lb"),
    ("mac", "mk"), ("mkd", "mk"), ("mal", "ml"), ("mao", "mi"), ("mri", "mi"), ("mar", "mr"),
    ("may", "ms"), ("msa", "ms"), ("mlt", "mt"), ("mon", "mn"), ("nep", "ne"), ("nno", "nn"),
    ("nob", "nb"), ("nor", "no"), ("oci", "oc"), ("ori", "or"), ("pan", "pa"), ("pol", "pl"),
    ("por", "pt"), ("pus", "ps"), ("ron", "ro"), ("rum", "ro"), ("rus", "ru"), ("san", "sa"),
    ("sin", "si"), ("slk", "sk"), ("slo", "sk"), ("slv", "sl"), ("som", "so"), ("spa", "es"),
    ("srp", "sr"), ("swa", "sw"), ("swe", "sv"), ("tam", "ta"), ("tat", "tt"), ("tel", "te"),
    ("tgk", "tg"), ("tha", "th"), ("tur", "tr"), ("uig", "ug"), ("ukr", "uk"), ("urd", "ur"),
    ("uzb", "uz"), ("vie", "vi"),
];

/// The longest tag: longer ones exist (RFC 5646 section 4.4.1) and are of no use.
const MAX_BYTES: usize = 35;

/// Codes that name no language.
const NONE: [&str; 5] = ["und", "mis", "mul", "zxx", "qaa"];

/// The shortest tag for what a container says; `None` when it says nothing that is a tag.
pub(crate) fn bcp47(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or_default().to_ascii_lowercase();
    let letters = primary.bytes().all(|b| b.is_ascii_lowercase());
    if !(2..=3).contains(&primary.len()) || !letters || NONE.contains(&primary.as_str()) {
        return None;
    }
    let short = SHORT.iter().find(|(long, _)| *long == primary);
    let mut result = short.map_or(primary, |(_, short)| (*short).to_owned());
    for subtag in subtags {
        if subtag.is_empty()
            || subtag.len() > 8
            || result.len() + subtag.len() >= MAX_BYTES
            || !subtag.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            break;
        }
        result.push('-');
        result.push_str(subtag);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::bcp47;

    #[test]
    fn three_letters_become_two_where_there_are_two() {
        let cases = [
            ("chi", Some("zh")),
            ("zho", Some("zh")),
            ("ENG", Some("en")),
            ("yue", Some("yue")),
            ("zh-Hans", Some("zh-Hans")),
            ("zh_TW", Some("zh-TW")),
            ("und", None),
            ("", None),
            ("Chinese", None),
            ("en-\u{0}", Some("en")),
        ];
        for (tag, expected) in cases {
            assert_eq!(bcp47(tag).as_deref(), expected, "{tag:?}");
        }
    }
}
