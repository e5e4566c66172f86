//! Chinese words: how text is folded, cut and read aloud.

mod cut;
mod fold;
mod pinyin;
mod regional;
mod stop;
mod tokens;
mod unit;

pub use cut::Words;
pub use fold::fold_text;
pub(crate) use fold::{Class, Glyph, fold};
pub(crate) use pinyin::{
    Sound, begins_sound, initials, mixed, readings, sounds_like, spelled_so_far, syllables,
};
pub(crate) use regional::elsewhere;
pub(crate) use stop::{asks, is_stop, may_name};
pub(crate) use tokens::{Cutter, Terms, initial_pair, name_part, pair, start, stem};
pub(crate) use unit::{Unit, units};
