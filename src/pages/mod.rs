//! Server-rendered HTML in Chinese and English.
//!
//! Every page is a pure function from a view (plain data, made by the edge) to [`maud::Markup`].
//! What lives here: the markup, the words in both languages, how dates, durations and sizes are
//! written. What must not: SQL, requests, clocks, rules about who may see what.
//!
//! Scripts and styles come from `web/`; their hashed names are in [`Assets`]. No page carries an
//! inline script or an inline event handler, so a strict content security policy holds.

mod admin;
mod assets;
mod book;
mod captions;
mod collection;
mod complaint;
mod copy;
mod course;
mod course_form;
mod course_studio;
mod delegations;
mod dictionary;
mod duplicates;
mod embed;
mod error;
mod facts;
mod home;
mod icon;
mod identity;
mod layout;
mod lesson;
mod library;
mod local_mark;
mod login;
mod look;
mod map;
mod me;
mod media;
mod paging;
mod particulars_form;
mod queue;
mod region;
mod resource;
mod review;
mod schema_org;
mod search;
mod setup;
mod short_form;
mod sources;
mod start;
mod studio;
mod studio_form;
mod tables;
mod tile;
mod vouch;
mod why;
mod words;

pub use admin::{
    AdminView, AuditView, EntryRow, Givable, GrantRow, GrantedRow, GrantsView, HeldTokenRow,
    ImportReport, InvitationRow, InvitationsView, JobRow, JobsView, LibrariesAdminView,
    LibraryAdminView, LibraryRow, LibrarySettings, Listed, Notice, Option2, OrganisationForm,
    OrganisationRow, OrganisationsView, PeopleView, PersonPage, PersonRow, TeamRow, TeamView,
    TeamsView, TokensView, admin, admin_libraries, admin_library, admin_organisation,
    admin_organisations, audit, granted, invitations, jobs, people, person, role_word, team, teams,
    tokens,
};
pub use assets::{Assets, AssetsError};
pub use book::BookView;
pub use captions::{CaptionsEditView, edit_captions};
pub use collection::{CollectionView, collection};
pub use complaint::{CaseView, case};
pub use copy::CopyView;
pub use course::{CourseTile, CourseView, LessonRow, ListingChoice, SectionView, course};
pub use course_form::{
    CourseEditView, EditLesson, EditSection, LessonState, PickedRow, PickerView, edit_course,
};
pub use course_studio::{
    CollectionEditView, CourseStudioRow, CoursesView, courses, edit_collection,
};
pub use delegations::{DelegationRow, DelegationsView};
pub use dictionary::{DictionaryView, dictionary};
pub use duplicates::{
    AlikeHint, DuplicatesView, GroupView, MemberView, PairView, VerdictView, alike, duplicates,
};
pub use embed::{EmbedView, embed, embed_code};
pub use error::{ErrorView, error};
pub use home::{ELDER_NEWEST, HomeView, TermCount, home};
pub use identity::{IdentityRow, LoggedOutView, ProviderLink, logged_out};
pub use layout::{Shell, Theme, Visitor};
pub use lesson::{LessonView, lesson};
pub use library::{LibrariesView, LibraryTile, LibraryView, libraries, library};
pub use login::{LoginView, login};
pub use look::{FeaturedChoice, LogoChoice, LookView, look};
pub use map::Dot;
pub use me::{MeView, SessionRow, TokenRow, me};
pub use media::{CaptionsView, Cue, MediaView, PictureView, PlayView, ReadView, SlideView};
pub use paging::Paging;
pub use queue::{
    ChainFormView, OpenAppeal, OpenComplaint, OpenReview, QueueItems, QueueTab, QueueView,
    chain_form, queue,
};
pub use region::{Crumb, LibraryLink, RegionNode, RegionRow, RegionView, region};
pub use resource::{Download, HomeLink, ResourceView, TermLink, resource};
pub use review::{CommentView, ReviewView, StepView as ReviewStep, VersionView, review};
pub use search::{Choice, Facet, FacetValue, HitView, MomentKind, MomentView, SearchView, search};
pub use setup::{SetupView, setup};
pub use short_form::{Offer, ShortFormView, ShortThen, short_form};
pub use sources::{SourceRow, SourcesView, sources};
pub use start::{JoinView, StartView, join, start, start_code};
pub use studio::{ProcessingView, StepView, StudioRow, StudioTab, StudioView, studio};
pub use studio_form::{CaptionsRow, EditReview, EditView, PosterChoice, edit};
pub use tables::{
    BatchLink, BatchPage, BatchPageRow, BulkView, CountTab, TablesView, batch, bulk, tables,
};
pub use tile::{ResourceTile, TileKind};
pub use vouch::{VouchView, VoucherRow, vouch};
pub use why::{Rarity, WhyHit, WhyPart, WhyView, WhyWord, why};
pub use words::{Lang, clock, found_word, kind_word, minute, size, stage_word, term_word};

#[cfg(test)]
mod tests;
