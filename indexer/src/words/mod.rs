//! Chinese words: how text is folded, cut and read aloud.

mod cut;
mod fold;
mod pinyin;
mod regional;
mod stop;
mod tokens;
mod unit;

pub use cut::Words;
pub(crate) use fold::{Class, Glyph, fold, fold_text};
pub(crate) use pinyin::{Sound, initials, mixed, readings, sounds_like, syllables};
pub(crate) use regional::elsewhere;
pub(crate) use stop::{asks, is_stop};
pub(crate) use tokens::{Terms, initial, initial_pair, name_part, pair, stem};
pub(crate) use unit::{Unit, units};
