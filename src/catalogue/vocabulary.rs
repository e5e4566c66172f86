//! The lists that metadata is chosen from.

/// A word of a controlled list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// As stored and sent.
    pub code: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

const fn term(code: &'static str, zh: &'static str, en: &'static str) -> Term {
    Term { code, zh, en }
}

/// Topics of the community education policy.
pub const TOPICS: &[Term] = &[
    term("values", "理想信念", "Values"),
    term("culture-arts", "文化艺术", "Culture and arts"),
    term("civility", "文明礼仪", "Civility"),
    term("science", "科学普及", "Science"),
    term("law", "法治教育", "Law"),
    term("health", "健康生活", "Health"),
    term("vocational-skills", "职业技能", "Vocational skills"),
    term("entrepreneurship", "创新创业", "Entrepreneurship"),
    term("technology-extension", "农技推广", "Technology extension"),
];

/// Whom a resource is made for.
pub const AUDIENCES: &[Term] = &[
    term("children", "儿童", "Children"),
    term("youth", "青少年", "Youth"),
    term("workers", "职工", "Workers"),
    term("farmers", "农民", "Farmers"),
    term("elders", "老年人", "Elders"),
    term("disabled", "残疾人", "People with disabilities"),
];

/// Licences offered in the form; others can be written.
pub const LICENCES: &[Term] = &[
    term("CC0-1.0", "CC0 公共领域", "CC0 (public domain)"),
    term("CC-BY-4.0", "知识共享 署名", "CC BY 4.0"),
    term("CC-BY-SA-4.0", "知识共享 署名—相同方式共享", "CC BY-SA 4.0"),
    term("CC-BY-NC-4.0", "知识共享 署名—非商业性使用", "CC BY-NC 4.0"),
    term("CC-BY-NC-SA-4.0", "知识共享 署名—非商业性使用—相同方式共享", "CC BY-NC-SA 4.0"),
    term("all-rights-reserved", "保留所有权利", "All rights reserved"),
];

/// Languages offered in the form and named in players; others keep their code.
pub const LANGUAGES: &[Term] = &[
    term("zh", "中文", "Chinese"),
    term("zh-Hans", "简体中文", "Chinese (simplified)"),
    term("zh-Hant", "繁体中文", "Chinese (traditional)"),
    term("yue", "粤语", "Cantonese"),
    term("en", "英语", "English"),
    term("ja", "日语", "Japanese"),
    term("ko", "韩语", "Korean"),
    term("ru", "俄语", "Russian"),
    term("fr", "法语", "French"),
    term("de", "德语", "German"),
    term("es", "西班牙语", "Spanish"),
    term("ar", "阿拉伯语", "Arabic"),
];

/// What `code` of `terms` is called; the code itself when it is not in the list.
#[must_use]
pub fn label_of<'a>(terms: &'a [Term], code: &'a str, chinese: bool) -> &'a str {
    match terms.iter().find(|term| term.code == code) {
        Some(term) if chinese => term.zh,
        Some(term) => term.en,
        None => code,
    }
}

/// Where the Creative Commons licence `code` can be read.
#[must_use]
pub fn licence_href(code: &str) -> Option<String> {
    let at = |path: &str| Some(format!("https://creativecommons.org/{path}/"));
    if code == "CC0-1.0" {
        return at("publicdomain/zero/1.0");
    }
    let (terms, version) = code.strip_prefix("CC-")?.rsplit_once('-')?;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if !version.starts_with(|c: char| c.is_ascii_digit()) || !plain(terms) || !plain(version) {
        return None;
    }
    at(&format!("licenses/{}/{version}", terms.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_lead_to_where_they_can_be_read() {
        let at = |code| licence_href(code).unwrap_or_default();
        assert_eq!(at("CC-BY-SA-4.0"), "https://creativecommons.org/licenses/by-sa/4.0/");
        assert_eq!(at("CC0-1.0"), "https://creativecommons.org/publicdomain/zero/1.0/");
        assert_eq!(at("CC-BY"), "");
        assert_eq!(at("all-rights-reserved"), "");
    }
}
