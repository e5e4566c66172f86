//! What the full form says beside title, description and the like.

use super::studio::Fields;
use crate::catalogue::{Contributor, LocalMark, Particulars};

/// What the form says; `old` where it has none of these fields.
pub(super) fn particulars_of(fields: &Fields, old: &Particulars) -> Particulars {
    if fields.find("particulars").is_none() {
        return old.clone();
    }
    let text = |name: &str| fields.one(name).to_owned();
    let roles = fields.each("contributor_role").into_iter();
    let people = roles.zip(fields.each("contributor_name"));
    Particulars {
        keywords: keywords(fields.one("keywords")),
        contributors: people
            .map(|(role, name)| Contributor { name: name.to_owned(), role: role.to_owned() })
            .collect(),
        publisher: text("publisher"),
        made: text("made"),
        place: text("place"),
        place_code: text("place_code"),
        difficulty: text("difficulty"),
        learning_minutes: match fields.one("learning_minutes").trim() {
            "" => None,
            // What is no number is refused like one that is too small.
            minutes => Some(minutes.parse().unwrap_or(-1)),
        },
        rights_holder: text("rights_holder"),
        evidence: text("evidence"),
        evidence_words: text("evidence_words"),
        evidence_paper: text("evidence_paper"),
        source_url: text("source_url"),
        local: (fields.one("local") == "yes").then(|| LocalMark {
            origin: text("local.origin"),
            bearer: text("local.bearer"),
            dialect: text("local.dialect"),
            dialect_words: text("local.dialect_words"),
            heritage: text("local.heritage"),
        }),
    }
}

/// Keywords with marks of punctuation between.
fn keywords(text: &str) -> Vec<String> {
    let words = text.split(['、', '，', ',', '；', ';', '\n']).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_without_the_groups_changes_nothing_of_them() {
        let old = Particulars { place: "日照".into(), ..Particulars::default() };
        assert_eq!(particulars_of(&Fields::parse("title=a"), &old), old);
        let form = "particulars=1&keywords=%E5%89%AA%E7%BA%B8%E3%80%81a%2C+b&contributor_role=editor\
                    &contributor_name=li&learning_minutes=x&local.origin=z";
        let new = particulars_of(&Fields::parse(form), &old);
        assert_eq!(new.keywords, ["剪纸", "a", "b"]);
        assert_eq!((new.place.as_str(), new.learning_minutes), ("", Some(-1)));
        assert_eq!(new.contributors[0].role, "editor");
        assert_eq!(new.local, None, "not ticked");
    }
}
