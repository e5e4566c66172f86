//! Who is calling, and what they may do.

use std::collections::HashMap;

use super::{AccountId, Library, LibraryId, Resource, RuleError, Stage, Visibility};

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
    /// Roles in libraries.
    pub libraries: HashMap<LibraryId, LibraryRole>,
}

/// A role over the whole net.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetRole {
    /// May do everything everywhere.
    Administrator,
    /// May see what is public, and what the libraries they belong to show them.
    Learner,
}

/// A role in one library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LibraryRole {
    /// Uploads, and edits their own resources.
    Author,
    /// Looks after the library: everything in it.
    Librarian,
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

    fn role_in(&self, library: LibraryId) -> Option<LibraryRole> {
        let account = self.0.as_ref()?;
        match account.role {
            NetRole::Administrator => Some(LibraryRole::Librarian),
            NetRole::Learner => account.libraries.get(&library).copied(),
        }
    }

    /// Whether the caller may upload into `library`.
    #[must_use]
    pub fn is_author_of(&self, library: LibraryId) -> bool {
        self.role_in(library).is_some()
    }

    /// Whether the caller looks after `library`.
    #[must_use]
    pub fn is_librarian_of(&self, library: LibraryId) -> bool {
        self.role_in(library) == Some(LibraryRole::Librarian)
    }

    /// Whether the caller has any library to work in.
    #[must_use]
    pub fn has_studio(&self) -> bool {
        self.0.as_ref().is_some_and(|account| {
            account.role == NetRole::Administrator || !account.libraries.is_empty()
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
        match self.role_in(resource.library) {
            Some(LibraryRole::Librarian) => true,
            Some(LibraryRole::Author) => {
                self.0.as_ref().is_some_and(|account| account.id == resource.uploaded_by)
            }
            None => false,
        }
    }

    /// Whether the caller may know that `resource` exists: it is public, or
    /// published in a library that the caller belongs to, or theirs to edit.
    #[must_use]
    pub fn can_see(&self, resource: &Resource, library: &Library) -> bool {
        match resource.stage {
            Stage::Deleted => false,
            Stage::Published => self.can_see_library(library),
            _ => self.can_edit(resource),
        }
    }

    /// Whether the caller may know that `library` exists.
    #[must_use]
    pub fn can_see_library(&self, library: &Library) -> bool {
        library.visibility == Visibility::Public || self.role_in(library.id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::resource::tests::resource;
    use crate::catalogue::{MediaPolicy, Publishing, Slug};

    fn library(visibility: Visibility) -> Library {
        Library {
            id: LibraryId::fresh(),
            slug: "main".parse::<Slug>().expect("a slug"),
            name: String::new(),
            description: String::new(),
            visibility,
            publishing: Publishing::Manual,
            quota_bytes: None,
            media: MediaPolicy::default(),
            created_ms: 0,
        }
    }

    fn with_role(library: LibraryId, role: LibraryRole) -> Caller {
        Caller(Some(Account {
            id: AccountId::fresh(),
            name: "lin".into(),
            display_name: "林".into(),
            role: NetRole::Learner,
            libraries: HashMap::from([(library, role)]),
        }))
    }

    #[test]
    fn an_author_edits_only_their_own() {
        let library = library(Visibility::Public);
        let author = with_role(library.id, LibraryRole::Author);
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
        let member = with_role(internal.id, LibraryRole::Author);
        assert!(member.can_see(&resource(Stage::Published), &internal));
    }
}
