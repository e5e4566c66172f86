//! Secrets that open something: tokens for programs and links, codes for people to read out.

use crate::catalogue::Sha256;

/// Characters of codes: none that looks or sounds like another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// Characters of a code: 60 bits.
const CODE_LENGTH: usize = 12;

/// What is stored of a token: its hash.
#[must_use]
pub fn token_hash(token: &str) -> String {
    Sha256::of(token.as_bytes()).to_string()
}

/// A fresh token, 256 random bits as hexadecimal.
///
/// # Errors
///
/// When the kernel gives no random numbers.
pub fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Sha256(bytes).to_string())
}

/// A fresh code to read out: `K7PM-2QXR-9TVB`.
///
/// # Errors
///
/// When the kernel gives no random numbers.
pub fn fresh_code() -> Result<String, getrandom::Error> {
    let mut bytes = [0; CODE_LENGTH];
    getrandom::fill(&mut bytes)?;
    let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let mut code = String::new();
    for (at, letter) in letters.enumerate() {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        code.push(letter);
    }
    Ok(code)
}

/// What is stored of the end of a link, or of a code however it was typed: its hash.
#[must_use]
pub fn code_hash(code: &str) -> String {
    let plain: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    token_hash(&plain.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = fresh_code().expect("random numbers");
        assert_eq!(code.len(), 14);
        assert_ne!(code, fresh_code().expect("random numbers"));
        let typed = code.to_lowercase().replace('-', " ");
        assert_eq!(code_hash(&code), code_hash(&typed));
        let token = fresh_token().expect("random numbers");
        assert_eq!(code_hash(&token), code_hash(&token.to_uppercase()));
    }
}
