//! Who is calling, and what they may do.

use std::collections::HashMap;

use super::{
    AccountId, Library, LibraryId, Organisation, OrganisationId, Resource, Role, Roles, RuleError,
    Stage, Visibility,
};

/// A person who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Login name, lower case.
    pub name: String,
    /// Name shown to people.
    pub display_name: String,
    /// Role over the whole net.
    pub role: NetRole,
    /// Roles in libraries: granted there, or on who owns them or is above.
    pub libraries: HashMap<LibraryId, Roles>,
    /// Roles granted on organisations, and so on all below.
    pub organisations: HashMap<OrganisationId, Roles>,
}

impl Account {
    /// A fresh one without roles in libraries.
    #[must_use]
    pub fn new(name: &str, display_name: &str, role: NetRole) -> Self {
        Self {
            id: AccountId::fresh(),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            role,
            libraries: HashMap::new(),
            organisations: HashMap::new(),
        }
    }
}

/// A role over the whole net.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetRole {
    /// May do everything everywhere.
    Administrator,
    /// May see what is public, and what the libraries they belong to show them.
    Learner,
}

/// Whoever makes a request: nobody in particular, or an account.
#[derive(Debug, Clone)]
pub struct Caller(pub Option<Account>);

impl Caller {
    /// The account, when there is one.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] when nobody is logged in.
    pub fn account(&self) -> Result<&Account, RuleError> {
        self.0.as_ref().ok_or(RuleError::Anonymous)
    }

    /// Whether the caller administers the whole net.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.0.as_ref().is_some_and(|account| account.role == NetRole::Administrator)
    }

    /// The caller's roles in `library`.
    #[must_use]
    pub fn roles_in(&self, library: LibraryId) -> Roles {
        match &self.0 {
            None => Roles::NONE,
            Some(account) if account.role == NetRole::Administrator => {
                Roles::NONE.with(Role::Administrator)
            }
            Some(account) => account.libraries.get(&library).copied().unwrap_or_default(),
        }
    }

    /// The caller's roles in `organisation`, from it or from above.
    #[must_use]
    pub fn roles_at(&self, organisation: &Organisation) -> Roles {
        match &self.0 {
            None => Roles::NONE,
            Some(account) if account.role == NetRole::Administrator => {
                Roles::NONE.with(Role::Administrator)
            }
            Some(account) => {
                let granted =
                    organisation.path.iter().filter_map(|id| account.organisations.get(id));
                granted.flat_map(|roles| roles.iter()).collect()
            }
        }
    }

    /// Whether the caller may upload into `library`.
    #[must_use]
    pub fn is_author_of(&self, library: LibraryId) -> bool {
        self.roles_in(library).uploads()
    }

    /// Whether the caller reads what is handed in to `library`.
    #[must_use]
    pub fn is_reviewer_of(&self, library: LibraryId) -> bool {
        self.roles_in(library).reviews()
    }

    /// Whether the caller looks after `library`.
    #[must_use]
    pub fn is_librarian_of(&self, library: LibraryId) -> bool {
        self.roles_in(library).manages()
    }

    /// Whether the caller looks after `organisation`, its libraries and its people.
    #[must_use]
    pub fn is_administrator_of(&self, organisation: &Organisation) -> bool {
        self.roles_at(organisation).has(Role::Administrator)
    }

    /// Whether the caller has any library to work in.
    #[must_use]
    pub fn has_studio(&self) -> bool {
        self.0.as_ref().is_some_and(|account| {
            account.role == NetRole::Administrator
                || account.libraries.values().any(|roles| roles.works())
        })
    }

    /// Whether the caller reads what is handed in to some library.
    #[must_use]
    pub fn reviews_somewhere(&self) -> bool {
        self.0.as_ref().is_some_and(|account| {
            account.role == NetRole::Administrator
                || account.libraries.values().any(|roles| roles.reviews())
        })
    }

    /// Whether the caller looks after people or organisations somewhere.
    #[must_use]
    pub fn administers(&self) -> bool {
        self.0.as_ref().is_some_and(|account| {
            let granted = account.libraries.values().chain(account.organisations.values());
            account.role == NetRole::Administrator || granted.copied().any(Roles::manages)
        })
    }

    /// Administers the net.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    pub fn may_administer(&self) -> Result<(), RuleError> {
        self.account()?;
        if self.is_administrator() { Ok(()) } else { Err(RuleError::Forbidden) }
    }

    /// Uploads into `library`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    pub fn may_upload(&self, library: LibraryId) -> Result<&Account, RuleError> {
        let account = self.account()?;
        if self.is_author_of(library) { Ok(account) } else { Err(RuleError::Forbidden) }
    }

    /// Changes the settings of `library`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    pub fn may_manage(&self, library: LibraryId) -> Result<(), RuleError> {
        self.account()?;
        if self.is_librarian_of(library) { Ok(()) } else { Err(RuleError::Forbidden) }
    }

    /// Looks after `organisation`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    pub fn may_administer_organisation(
        &self,
        organisation: &Organisation,
    ) -> Result<(), RuleError> {
        self.account()?;
        if self.is_administrator_of(organisation) { Ok(()) } else { Err(RuleError::Forbidden) }
    }

    /// Edits `resource`: its author, or a librarian of its library.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    pub fn may_edit(&self, resource: &Resource) -> Result<(), RuleError> {
        self.account()?;
        if self.can_edit(resource) { Ok(()) } else { Err(RuleError::Forbidden) }
    }

    /// Whether the caller may edit `resource`.
    #[must_use]
    pub fn can_edit(&self, resource: &Resource) -> bool {
        self.can_edit_of(resource.library, resource.uploaded_by)
    }

    fn can_edit_of(&self, library: LibraryId, uploaded_by: AccountId) -> bool {
        let roles = self.roles_in(library);
        let is_own = || self.0.as_ref().is_some_and(|account| account.id == uploaded_by);
        roles.manages() || roles.uploads() && is_own()
    }

    /// Whether the caller may know that `resource` exists: it is public, or
    /// published in a library that the caller belongs to, or theirs to edit or review.
    #[must_use]
    pub fn can_see(&self, resource: &Resource, library: &Library) -> bool {
        self.can_see_of(library, resource.uploaded_by, resource.stage)
    }

    /// The same of what `uploaded_by` has in `library`, in `stage`.
    #[must_use]
    pub fn can_see_of(&self, library: &Library, uploaded_by: AccountId, stage: Stage) -> bool {
        match stage {
            Stage::Deleted => false,
            Stage::Published => self.can_see_library(library),
            _ => self.can_edit_of(library.id, uploaded_by) || self.is_reviewer_of(library.id),
        }
    }

    /// Whether the caller may know that `library` exists.
    #[must_use]
    pub fn can_see_library(&self, library: &Library) -> bool {
        library.visibility == Visibility::Public || self.roles_in(library.id).any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::resource::tests::resource;
    use crate::catalogue::{Level, Slug};

    fn library(visibility: Visibility) -> Library {
        let slug = "main".parse::<Slug>().expect("a slug");
        Library { visibility, ..Library::new(slug, "", 0) }
    }

    fn with_role(library: LibraryId, role: Role) -> Caller {
        let mut account = Account::new("lin", "林", NetRole::Learner);
        account.libraries.insert(library, Roles::NONE.with(role));
        Caller(Some(account))
    }

    #[test]
    fn an_author_edits_only_their_own() {
        let library = library(Visibility::Public);
        let author = with_role(library.id, Role::Author);
        let mut resource = resource(Stage::Ready);
        resource.library = library.id;
        assert_eq!(author.may_edit(&resource), Err(RuleError::Forbidden));
        resource.uploaded_by = author.account().expect("logged in").id;
        assert_eq!(author.may_edit(&resource), Ok(()));
    }

    #[test]
    fn nobody_sees_what_is_withdrawn_or_internal() {
        let public = library(Visibility::Public);
        let internal = library(Visibility::Internal);
        let nobody = Caller(None);
        assert!(nobody.can_see(&resource(Stage::Published), &public));
        assert!(!nobody.can_see(&resource(Stage::Withdrawn), &public));
        assert!(!nobody.can_see(&resource(Stage::Published), &internal));
        let member = with_role(internal.id, Role::Author);
        assert!(member.can_see(&resource(Stage::Published), &internal));
    }

    #[test]
    fn a_reviewer_reads_what_is_not_published_and_edits_nothing() {
        let library = library(Visibility::Internal);
        let reviewer = with_role(library.id, Role::Reviewer);
        let mut resource = resource(Stage::Ready);
        resource.library = library.id;
        assert!(reviewer.can_see(&resource, &library));
        assert_eq!(reviewer.may_edit(&resource), Err(RuleError::Forbidden));
        assert!(reviewer.may_upload(library.id).is_err());
        let learner = with_role(library.id, Role::Learner);
        assert!(learner.can_see_library(&library) && !learner.can_see(&resource, &library));
        assert!(!learner.has_studio());
    }

    #[test]
    fn a_role_reaches_down_and_not_up() {
        let city = Organisation::new(None, Level::City, "市", 0).expect("a city");
        let east = Organisation::new(Some(&city), Level::District, "东", 0).expect("a district");
        let west = Organisation::new(Some(&city), Level::District, "西", 0).expect("a district");
        let village = Organisation::new(Some(&east), Level::Community, "村", 0).expect("a village");
        let mut account = Account::new("lin", "林", NetRole::Learner);
        account.organisations.insert(east.id, Roles::NONE.with(Role::Administrator));
        let caller = Caller(Some(account));
        assert!(caller.is_administrator_of(&east) && caller.is_administrator_of(&village));
        assert!(!caller.is_administrator_of(&city) && !caller.is_administrator_of(&west));
    }
}
