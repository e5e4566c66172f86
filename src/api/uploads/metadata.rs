//! `Upload-Metadata`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::problem::ApiError;
use crate::catalogue::Details;
use crate::ingest::upload;

pub(super) fn details_of(metadata: &HashMap<String, String>, file_name: &str) -> Details {
    let get =
        |name: &str| metadata.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let title = get("title");
    Details {
        title: if title.is_empty() { upload::title_from(file_name) } else { title },
        description: get("description"),
        language: Some(get("language")).filter(|language| !language.is_empty()),
        author: get("author"),
        licence: get("licence"),
        topics: codes(get("topics")),
        audiences: codes(get("audiences")),
        ..Details::default()
    }
}

/// Codes with `;` or `,` between.
fn codes(text: String) -> Vec<String> {
    let codes = text.split([';', ',']).map(str::trim).filter(|code| !code.is_empty());
    codes.map(str::to_owned).collect()
}

/// `Upload-Metadata`: pairs of a key and a value in base64, with commas between.
pub(super) fn parse(text: &str) -> Result<HashMap<String, String>, ApiError> {
    let bad = || ApiError::bad("Upload-Metadata");
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD.decode(value.trim()).map_err(|_| bad())?;
            Ok((key.to_owned(), String::from_utf8(value).map_err(|_| bad())?))
        })
        .collect()
}
