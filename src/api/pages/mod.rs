//! Handlers of pages: they fill the views of `crate::pages` from rows.

mod captions;
mod complaints;
mod course_studio;
mod courses;
mod dictionary;
mod downloads;
mod duplicates;
mod learn;
mod login;
mod queue;
mod review;
mod shell;
mod studio;
mod tiles;

pub(super) use captions::{captions_page, new_captions};
pub(super) use complaints::{case_page, complain};
pub(super) use course_studio::{
    collection_edit_page, collection_form, course_edit_page, course_form, courses_page,
    new_collection, new_course,
};
pub(super) use courses::{collection, course, lesson, listing_form};
pub(super) use dictionary::{dictionary_form, dictionary_page};
pub(super) use duplicates::{duplicates_form, duplicates_page};
pub(super) use learn::{home, libraries, library, resource, search};
pub(super) use login::{log_in, log_out, login_form, set_up, setup_form};
pub(super) use queue::{
    appeals_form, appeals_page, chain_page, complaints_form, complaints_page, queue_page,
    save_chain,
};
pub(super) use review::{review_form, review_page};
pub(super) use shell::{asset, error_page, load_assets, web_file};
pub(super) use studio::{captions_form, edit_form, list, resource_page};
