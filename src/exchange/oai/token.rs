//! Resumption tokens. They hold the whole question and the place in the list, so they last for
//! ever, over restarts and edits, and no server keeps them; what is in them could as well be asked
//! for, so they are checked like any arguments instead of being signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::request::END_MS;
use super::{Format, OaiError, Selection};
use crate::catalogue::ResourceId;

/// What a token of this form begins with.
const FORM: &str = "1";

/// A resumption token.
#[derive(Debug)]
pub struct Token;

impl Token {
    /// The token that goes on as `selection` says.
    #[must_use]
    pub fn write(selection: &Selection) -> String {
        let (stamp_ms, resource) = selection.after.clone().unwrap_or_default();
        let fields = [
            FORM.to_owned(),
            selection.format.prefix().to_owned(),
            selection.from_ms.to_string(),
            selection.before_ms.to_string(),
            stamp_ms.to_string(),
            resource,
            selection.given.to_string(),
            selection.size.map(|size| size.to_string()).unwrap_or_default(),
            // The last, since it may hold anything.
            selection.set.clone().unwrap_or_default(),
        ];
        URL_SAFE_NO_PAD.encode(fields.join(" "))
    }

    /// Where the list goes on.
    ///
    /// # Errors
    ///
    /// `badResumptionToken`.
    pub fn read(token: &str) -> Result<Selection, OaiError> {
        Self::parse(token).ok_or_else(Self::bad)
    }

    /// The error for what is no token.
    #[must_use]
    pub fn bad() -> OaiError {
        OaiError::new("badResumptionToken", "续传标记无效。 This is no resumption token of ours.")
    }

    fn parse(token: &str) -> Option<Selection> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let mut fields = text.splitn(9, ' ');
        if fields.next()? != FORM {
            return None;
        }
        let format = Format::of(fields.next()?).ok()?;
        let mut number = || -> Option<i64> {
            let number = fields.next()?.parse().ok()?;
            (0..=END_MS).contains(&number).then_some(number)
        };
        let (from_ms, before_ms, stamp_ms) = (number()?, number()?, number()?);
        let resource: ResourceId = fields.next()?.parse().ok()?;
        let given = fields.next()?.parse().ok()?;
        let size = fields.next()?;
        let set = fields.next()?;
        Some(Selection {
            format,
            set: Some(set.to_owned()).filter(|set| !set.is_empty()),
            from_ms,
            before_ms,
            after: Some((stamp_ms, resource.to_string())),
            given,
            size: if size.is_empty() { None } else { Some(size.parse().ok()?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_reads_back(
            from_ms in 0..END_MS, before_ms in 0..END_MS, stamp_ms in 0..END_MS,
            given: u64, size: Option<u64>, set in "[a-z. ]{1,20}", lom: bool,
        ) {
            let format = if lom { Format::Lom } else { Format::DublinCore };
            let after = Some((stamp_ms, ResourceId::fresh().to_string()));
            let selection =
                Selection { format, set: Some(set), from_ms, before_ms, after, given, size };
            prop_assert_eq!(Token::read(&Token::write(&selection)), Ok(selection));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "x", "1 oai_dc", "1 oai_dc 0 0 0 nobody 0  ", "2 oai_dc 0 0 0 0 0 0 0"] {
            let token = URL_SAFE_NO_PAD.encode(text);
            assert_eq!(
                Token::read(&token).map_err(|e| e.code),
                Err("badResumptionToken"),
                "{text}"
            );
        }
    }
}
