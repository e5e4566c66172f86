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

/// Where it may come from that something may be shown.
pub const EVIDENCE: &[Term] = &[
    term("own", "自己做的", "Own work"),
    term("commissioned", "委托他人做的", "Commissioned"),
    term("permission", "权利人书面同意", "Written permission"),
    term("open-licence", "原作公开许可", "Openly licensed"),
    term("public-domain", "已进入公有领域", "Public domain"),
];

/// What somebody did for a resource beside its author.
pub const ROLES: &[Term] = &[
    term("teacher", "主讲", "Teacher"),
    term("performer", "表演示范", "Performer"),
    term("script-writer", "撰稿", "Script writer"),
    term("editor", "编辑剪辑", "Editor"),
    term("camera", "摄影摄像", "Camera"),
    term("translator", "翻译", "Translator"),
    term("designer", "教学设计", "Instructional designer"),
    term("adviser", "顾问", "Adviser"),
    term("other", "参与", "Contributor"),
];

/// How hard it is: the values of IEEE 1484.12.1, element 5.8.
pub const DIFFICULTIES: &[Term] = &[
    term("very-easy", "很容易", "Very easy"),
    term("easy", "容易", "Easy"),
    term("medium", "中等", "Medium"),
    term("difficult", "较难", "Difficult"),
    term("very-difficult", "很难", "Very difficult"),
];

/// Chinese dialects, as the Language Atlas of China has them.
pub const DIALECTS: &[Term] = &[
    term("northeastern", "东北官话", "Northeastern Mandarin"),
    term("beijing", "北京官话", "Beijing Mandarin"),
    term("jilu", "冀鲁官话", "Jilu Mandarin"),
    term("jiaoliao", "胶辽官话", "Jiaoliao Mandarin"),
    term("central-plains", "中原官话", "Central Plains Mandarin"),
    term("lanyin", "兰银官话", "Lanyin Mandarin"),
    term("southwestern", "西南官话", "Southwestern Mandarin"),
    term("jianghuai", "江淮官话", "Jianghuai Mandarin"),
    term("jin", "晋语", "Jin"),
    term("wu", "吴语", "Wu"),
    term("hui", "徽语", "Hui"),
    term("gan", "赣语", "Gan"),
    term("xiang", "湘语", "Xiang"),
    term("min-southern", "闽南语", "Southern Min"),
    term("min-eastern", "闽东语", "Eastern Min"),
    term("min-other", "其他闽语", "Other Min"),
    term("hakka", "客家话", "Hakka"),
    term("yue", "粤语", "Yue"),
    term("pinghua", "平话和土话", "Pinghua and Tuhua"),
    term("minority", "少数民族语言", "A minority language"),
];

/// On which list of intangible heritage something stands.
pub const HERITAGE: &[Term] = &[
    term("national", "国家级非遗", "National heritage"),
    term("provincial", "省级非遗", "Provincial heritage"),
    term("city", "市级非遗", "City heritage"),
    term("county", "县级非遗", "County heritage"),
];

/// A list that metadata is chosen from, with its name.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    /// As in addresses, and as the fields that it is for.
    pub name: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// Whether other values may be written too.
    pub open: bool,
    /// What is in it, in the order of forms.
    pub terms: &'static [Term],
}

const fn list(
    name: &'static str,
    (zh, en): (&'static str, &'static str),
    open: bool,
    terms: &'static [Term],
) -> Vocabulary {
    Vocabulary { name, zh, en, open, terms }
}

/// All lists.
pub const VOCABULARIES: &[Vocabulary] = &[
    list("topics", ("主题", "Topics"), false, TOPICS),
    list("audiences", ("适用人群", "Audiences"), false, AUDIENCES),
    list("languages", ("语言", "Languages"), true, LANGUAGES),
    list("licences", ("许可", "Licences"), true, LICENCES),
    list("evidence", ("权利依据", "Evidence of rights"), false, EVIDENCE),
    list("roles", ("参与者角色", "Roles of contributors"), false, ROLES),
    list("difficulties", ("难度", "Difficulty"), false, DIFFICULTIES),
    list("dialects", ("方言", "Dialects"), false, DIALECTS),
    list("heritage", ("非遗级别", "Levels of heritage"), false, HERITAGE),
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
    fn every_code_is_once_in_its_list() {
        for vocabulary in VOCABULARIES {
            let mut codes: Vec<_> = vocabulary.terms.iter().map(|term| term.code).collect();
            codes.sort_unstable();
            let all = codes.len();
            codes.dedup();
            assert_eq!(codes.len(), all, "{}", vocabulary.name);
        }
    }

    #[test]
    fn licences_lead_to_where_they_can_be_read() {
        let at = |code| licence_href(code).unwrap_or_default();
        assert_eq!(at("CC-BY-SA-4.0"), "https://creativecommons.org/licenses/by-sa/4.0/");
        assert_eq!(at("CC0-1.0"), "https://creativecommons.org/publicdomain/zero/1.0/");
        assert_eq!(at("CC-BY"), "");
        assert_eq!(at("all-rights-reserved"), "");
    }
}
