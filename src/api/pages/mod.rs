//! Handlers of pages: they fill the views of `crate::pages` from rows.

mod captions;
mod dictionary;
mod downloads;
mod duplicates;
mod embed;
mod learn;
mod login;
mod shell;
mod sources;
mod studio;
mod tiles;

pub(super) use captions::{captions_page, new_captions};
pub(super) use dictionary::{dictionary_form, dictionary_page};
pub(super) use duplicates::{duplicates_form, duplicates_page};
pub(super) use embed::embed;
pub(super) use learn::{home, libraries, library, resource, search};
pub(super) use login::{log_in, log_out, login_form, set_up, setup_form};
pub(super) use shell::{asset, error_page, load_assets, web_file};
pub(super) use sources::{sources_form, sources_page};
pub(super) use studio::{captions_form, edit_form, list, resource_page};
