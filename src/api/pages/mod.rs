//! Handlers of pages: they fill the views of `crate::pages` from rows.

mod admin;
mod captions;
mod complaints;
mod copies;
mod course_studio;
mod courses;
mod delegations;
mod dictionary;
mod downloads;
mod duplicates;
mod embed;
mod here;
mod home;
mod identity;
mod libraries;
mod login;
mod look;
mod me;
mod particulars_form;
mod queue;
mod region;
mod resource;
mod review;
mod search;
mod shell;
mod short;
mod sources;
mod start;
mod studio;
mod tables;
mod tiles;
mod vouch;
mod why;

pub(super) use admin::{
    admin_page, audit_page, grants_form, grants_page, import_organisations, import_people,
    invitations_form, invitations_page, jobs_form, jobs_page, libraries_form, libraries_page,
    library_form, library_page, organisation_form, organisation_page, organisations_form,
    organisations_page, people_form, people_page, person_form, person_page, team_form, team_page,
    teams_form, teams_page, tokens_form, tokens_page,
};
pub(super) use captions::{captions_page, new_captions};
pub(super) use complaints::{case_page, complain};
pub(super) use copies::copy_form;
pub(super) use course_studio::{
    collection_edit_page, collection_form, course_edit_page, course_form, courses_page,
    new_collection, new_course,
};
pub(super) use courses::{collection, course, lesson, listing_form};
pub(super) use dictionary::{dictionary_form, dictionary_page};
pub(super) use duplicates::{duplicates_form, duplicates_page};
pub(super) use embed::embed;
pub(super) use home::home;
pub(super) use identity::{logged_out, login_done, login_with};
pub(super) use libraries::{libraries, library};
pub(super) use login::{log_in, log_out, login_form, set_up, setup_form};
pub(super) use look::{look_form, look_page};
pub(super) use me::{me_form, me_page};
pub(super) use queue::{
    appeals_form, appeals_page, chain_page, complaints_form, complaints_page, queue_page,
    save_chain,
};
pub(super) use region::{region, regions};
pub(super) use resource::resource;
pub(super) use review::{review_form, review_page};
pub(super) use search::search;
pub(super) use shell::{asset, error_page, load_assets, web_file};
pub(super) use short::{short_form, short_page};
pub(super) use sources::{sources_form, sources_page};
pub(super) use start::{choose_form, choose_page, join_form, join_page, start_form, start_page};
pub(super) use studio::{captions_form, edit_form, list, resource_page};
pub(super) use tables::{batch_form, batch_page, bulk_form, bulk_page, tables_form, tables_page};
pub(super) use vouch::{vouch_form, vouch_page};
pub(super) use why::why;
