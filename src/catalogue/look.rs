//! How a library looks: what its people choose for its front page.

use serde::{Deserialize, Serialize};

use super::{ResourceId, RuleError};

/// How a library's front page looks; what is left out is as in the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// Its colour.
    pub colour: Colour,
    /// An image of the library that stands for it; `None`: the first sign of its name.
    pub logo: Option<String>,
    /// What is told above everything else, such as a notice; may be empty.
    pub notice: String,
    /// Resources that are shown first, at most twelve.
    pub featured: Vec<String>,
    /// What the front page shows, from the top; empty: everything, in the usual order.
    pub blocks: Vec<Block>,
}

/// A colour whose contrast with paper and ink is known to be enough (WCAG 2.2, 1.4.3), light and
/// dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names")]
pub enum Colour {
    #[default]
    Vermilion,
    Ochre,
    Pine,
    Sea,
    Indigo,
    Plum,
    Slate,
}

impl Colour {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Vermilion,
        Self::Ochre,
        Self::Pine,
        Self::Sea,
        Self::Indigo,
        Self::Plum,
        Self::Slate,
    ];

    /// As it is stored, sent and named in style sheets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vermilion => "vermilion",
            Self::Ochre => "ochre",
            Self::Pine => "pine",
            Self::Sea => "sea",
            Self::Indigo => "indigo",
            Self::Plum => "plum",
            Self::Slate => "slate",
        }
    }
}

/// A part of a library's front page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// What its people chose.
    Featured,
    /// Its courses.
    Courses,
    /// Its collections.
    Collections,
    /// The newest resources.
    Newest,
}

impl Block {
    /// All of them, in the usual order.
    pub const ALL: [Self; 4] = [Self::Featured, Self::Courses, Self::Collections, Self::Newest];

    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Featured => "featured",
            Self::Courses => "courses",
            Self::Collections => "collections",
            Self::Newest => "newest",
        }
    }
}

impl Look {
    /// What the front page shows, from the top.
    #[must_use]
    pub fn shown(&self) -> &[Block] {
        if self.blocks.is_empty() { &Block::ALL } else { &self.blocks }
    }

    /// Checks what somebody chose.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for what cannot be kept.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        let bad = |field, value: &str| {
            Err(RuleError::BadField { field, value: value.chars().take(40).collect() })
        };
        self.notice = self.notice.trim().replace('\0', "");
        if self.notice.chars().count() > 500 {
            return bad("notice", &self.notice);
        }
        self.logo = self.logo.filter(|id| !id.is_empty());
        if self.featured.len() > 12 {
            return bad("featured", &self.featured.len().to_string());
        }
        let named = self.logo.iter().chain(&self.featured);
        if let Some(id) = named.into_iter().find(|id| id.parse::<ResourceId>().is_err()) {
            return bad("featured", id);
        }
        let mut kept = Vec::new();
        for block in self.blocks {
            if !kept.contains(&block) {
                kept.push(block);
            }
        }
        self.blocks = kept;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_stored_reads_as_the_default() {
        assert_eq!(serde_json::from_str::<Look>("{}").expect("JSON"), Look::default());
        for colour in Colour::ALL {
            let json = serde_json::to_string(&colour).expect("JSON");
            assert_eq!(json.trim_matches('"'), colour.as_str());
        }
        for block in Block::ALL {
            let json = serde_json::to_string(&block).expect("JSON");
            assert_eq!(json.trim_matches('"'), block.as_str());
        }
        assert_eq!(Look::default().shown(), Block::ALL);
    }

    #[test]
    fn only_what_can_be_shown_is_kept() {
        let look = Look { featured: vec!["x".into()], ..Look::default() };
        assert!(look.checked().is_err());
        let look = Look { blocks: vec![Block::Newest, Block::Newest], ..Look::default() };
        assert_eq!(look.checked().expect("fits").blocks, [Block::Newest]);
        assert!(Look { notice: "长".repeat(501), ..Look::default() }.checked().is_err());
    }
}
