//! What else is known of a resource, as JSON; and fields that nobody knows.

use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::problem::ApiError;
use super::resources::rfc3339;
use crate::catalogue::{Contributor, LocalMark, Particulars, ParticularsEdit, Vouched};

/// What else is known of a resource; empty: not said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParticularsView {
    /// Free subjects.
    keywords: Vec<String>,
    contributors: Vec<ContributorForm>,
    /// As shown; empty: its library.
    publisher: String,
    /// `2019`, `2019-05` or `2019-05-01`
    made: String,
    /// What it is about, in words.
    place: String,
    /// Code of the division that it is about (GB/T 2260 and its extension).
    place_code: String,
    /// Code of `difficulties`.
    difficulty: String,
    learning_minutes: Option<i64>,
    rights_holder: String,
    /// Code of `evidence`.
    evidence: String,
    evidence_words: String,
    /// Where the paper lies; null for those who may not edit it.
    evidence_paper: Option<String>,
    /// What it was made from.
    source_url: String,
    /// What is local about it; null: nothing.
    local: Option<LocalForm>,
}

/// Somebody who had a part in it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContributorForm {
    name: String,
    /// Code of `roles`; `other` when left out.
    #[serde(default)]
    role: String,
}

/// The mark of local characteristic.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalForm {
    /// The place that it comes from.
    origin: String,
    /// Who hands it down.
    #[serde(default)]
    bearer: String,
    /// Code of `dialects`.
    #[serde(default)]
    dialect: String,
    #[serde(default)]
    dialect_words: String,
    /// Code of `heritage`.
    #[serde(default)]
    heritage: String,
}

/// Who vouches for what is local about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VouchedView {
    /// Name of the organisation.
    organisation: String,
    /// city, district, township or community
    level: &'static str,
    /// RFC 3339.
    at: String,
    note: String,
}

/// What is said anew; what is left out stays, an empty text takes away.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct ParticularsPatch {
    /// At most 30 of 60 characters.
    keywords: Option<Vec<String>>,
    /// At most 30.
    contributors: Option<Vec<ContributorForm>>,
    publisher: Option<String>,
    /// `2019`, `2019-05` or `2019-05-01`
    made: Option<String>,
    place: Option<String>,
    /// Six, nine or twelve digits.
    place_code: Option<String>,
    /// Code of `difficulties`.
    difficulty: Option<String>,
    /// At most 60,000; 0: not said.
    learning_minutes: Option<i64>,
    rights_holder: Option<String>,
    /// Code of `evidence`.
    evidence: Option<String>,
    evidence_words: Option<String>,
    /// Where the paper lies.
    evidence_paper: Option<String>,
    /// http or https.
    source_url: Option<String>,
    /// All of the mark; null: it is not local.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<LocalForm>)]
    local: Option<Option<LocalForm>>,
}

impl ParticularsView {
    /// Of `particulars`, for somebody who edits them or not.
    pub(super) fn of(particulars: Particulars, edits: bool) -> Self {
        let contributor = |one: Contributor| ContributorForm { name: one.name, role: one.role };
        Self {
            keywords: particulars.keywords,
            contributors: particulars.contributors.into_iter().map(contributor).collect(),
            publisher: particulars.publisher,
            made: particulars.made,
            place: particulars.place,
            place_code: particulars.place_code,
            difficulty: particulars.difficulty,
            learning_minutes: particulars.learning_minutes,
            rights_holder: particulars.rights_holder,
            evidence: particulars.evidence,
            evidence_words: particulars.evidence_words,
            evidence_paper: edits.then_some(particulars.evidence_paper),
            source_url: particulars.source_url,
            local: particulars.local.map(|mark| LocalForm {
                origin: mark.origin,
                bearer: mark.bearer,
                dialect: mark.dialect,
                dialect_words: mark.dialect_words,
                heritage: mark.heritage,
            }),
        }
    }
}

impl From<Vouched> for VouchedView {
    fn from(vouched: Vouched) -> Self {
        Self {
            organisation: vouched.organisation,
            level: vouched.level.as_str(),
            at: rfc3339(vouched.at_ms),
            note: vouched.note,
        }
    }
}

impl From<ParticularsPatch> for ParticularsEdit {
    fn from(patch: ParticularsPatch) -> Self {
        let contributor = |one: ContributorForm| Contributor { name: one.name, role: one.role };
        let contributors = |all: Vec<_>| all.into_iter().map(contributor).collect();
        let mark = |form: LocalForm| LocalMark {
            origin: form.origin,
            bearer: form.bearer,
            dialect: form.dialect,
            dialect_words: form.dialect_words,
            heritage: form.heritage,
        };
        Self {
            keywords: patch.keywords,
            contributors: patch.contributors.map(contributors),
            publisher: patch.publisher,
            made: patch.made,
            place: patch.place,
            place_code: patch.place_code,
            difficulty: patch.difficulty,
            learning_minutes: patch.learning_minutes,
            rights_holder: patch.rights_holder,
            evidence: patch.evidence,
            evidence_words: patch.evidence_words,
            evidence_paper: patch.evidence_paper,
            source_url: patch.source_url,
            local: patch.local.map(|local| local.map(mark)),
        }
    }
}

/// A field that is there, null or not.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<LocalForm>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Refuses what was sent beside the fields that are known.
///
/// # Errors
///
/// 422 that names one.
pub(super) fn none_unknown(rest: &Map<String, Value>) -> Result<(), ApiError> {
    match rest.keys().next() {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(40).collect();
            Err(ApiError::coded(StatusCode::UNPROCESSABLE_ENTITY, "unknown_field", name))
        }
    }
}
