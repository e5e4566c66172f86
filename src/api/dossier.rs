//! All that is known about the review of a resource, and what the caller may do there.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{
    AccountId, Appeal, AppealedFrom, Caller, CaseState, Deciders, Decision, Level, Library,
    Resource, ResourceId, Review, ReviewState, Role, Stage, Step, TeamId, Verdict, Withdrawal,
};
use crate::db;
use crate::db::reviews::Comment;
use crate::pages::Lang;
use crate::review::Desk;

/// All that is known about the review of a resource.
#[derive(Debug)]
pub(super) struct Dossier {
    pub resource: Resource,
    pub desk: Desk,
    /// What was handed in, the last first.
    pub versions: Vec<Review>,
    pub comments: Vec<Comment>,
    /// The one that counts.
    pub withdrawal: Option<Withdrawal>,
    /// The last first.
    pub appeals: Vec<Appeal>,
    pub may: May,
    people: HashMap<AccountId, String>,
    teams: HashMap<TeamId, String>,
}

/// What the caller may do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct May {
    /// Change the resource.
    pub edit: bool,
    /// Hand it in.
    pub hand_in: bool,
    /// Publish it past the chain, or where there is none.
    pub publish: bool,
    /// Take back what was handed in.
    pub take_back: bool,
    /// Accept or return it.
    pub decide: bool,
    /// Withdraw it.
    pub withdraw: bool,
    /// Appeal.
    pub appeal: bool,
}

impl May {
    /// As it is sent.
    pub(super) fn words(self) -> Vec<&'static str> {
        [
            (self.edit, "edit"),
            (self.hand_in, "hand_in"),
            (self.publish, "publish"),
            (self.take_back, "take_back"),
            (self.decide, "decide"),
            (self.withdraw, "withdraw"),
            (self.appeal, "appeal"),
        ]
        .into_iter()
        .filter_map(|(may, word)| may.then_some(word))
        .collect()
    }
}

/// How far a step of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepState {
    Accepted,
    Returned,
    Waiting,
    ToCome,
}

impl StepState {
    /// As it is sent.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Returned => "returned",
            Self::Waiting => "waiting",
            Self::ToCome => "to_come",
        }
    }
}

/// Where the step `number` of `review` is, and what was decided last in it.
pub(super) fn step_of(review: &Review, number: usize) -> (StepState, Option<&Decision>) {
    let waits = review.state == ReviewState::Open && review.step == number;
    let decision = review.decisions.iter().rfind(|decision| decision.step == number);
    let state = match decision.map(|decision| decision.verdict) {
        Some(Verdict::Accept) => StepState::Accepted,
        Some(Verdict::Return) => StepState::Returned,
        None if waits => StepState::Waiting,
        None => StepState::ToCome,
    };
    (state, decision)
}

impl Dossier {
    /// Of the resource `id`, for those who may edit it and those who read here.
    ///
    /// # Errors
    ///
    /// 401 for nobody, 404 for everybody else.
    pub(super) async fn of(app: &App, caller: &Caller, id: &str) -> Result<Self, ApiError> {
        caller.account()?;
        let id: ResourceId = id.parse().map_err(|_| ApiError::NotFound)?;
        let mut db = app.db.read().await?;
        let resource = db::resources::find(&mut db, id).await?.ok_or(ApiError::NotFound)?;
        let desk = Desk::of(&mut db, caller, resource.library, app.now_ms()).await?;
        let versions = db::reviews::list_of(&mut db, id).await?;
        let steps = versions.iter().flat_map(|review| &review.steps);
        let mut reads = steps.filter(|step| desk.is_for(caller, step));
        if !caller.can_edit(&resource) && !desk.reads(caller) && reads.next().is_none() {
            return Err(ApiError::NotFound);
        }
        let mut dossier = Self {
            comments: db::reviews::comments(&mut db, id).await?,
            withdrawal: db::complaints::withdrawal_of(&mut db, id).await?,
            appeals: db::complaints::appeals_of(&mut db, id).await?,
            may: May::default(),
            people: HashMap::new(),
            teams: HashMap::new(),
            resource,
            desk,
            versions,
        };
        dossier.may = dossier.may(caller);
        dossier.name(&mut db).await?;
        Ok(dossier)
    }

    /// The version that is in review.
    pub(super) fn open(&self) -> Option<&Review> {
        self.versions.first().filter(|review| review.state == ReviewState::Open)
    }

    /// The last version, when it was returned and nothing came after.
    pub(super) fn returned(&self) -> Option<&Review> {
        self.versions.first().filter(|review| review.state == ReviewState::Returned)
    }

    /// The library.
    pub(super) fn library(&self) -> &Library {
        &self.desk.library
    }

    /// The name of a person.
    pub(super) fn person(&self, id: AccountId) -> String {
        self.people.get(&id).cloned().unwrap_or_default()
    }

    /// Who decides in `step`, in words.
    pub(super) fn who(&self, lang: Lang, step: &Step) -> String {
        match step.who {
            Deciders::Account(id) => self.person(id),
            Deciders::Team(id) => self.teams.get(&id).cloned().unwrap_or_default(),
            Deciders::At { .. } => who(lang, &self.desk, step),
        }
    }

    fn may(&self, caller: &Caller) -> May {
        let (resource, desk) = (&self.resource, &self.desk);
        let edit = caller.can_edit(resource);
        let account = caller.0.as_ref().map(|account| account.id);
        let is_author = account == Some(resource.uploaded_by);
        let ready = matches!(resource.stage, Stage::Ready | Stage::Withdrawn);
        let skip = desk.chain.is_empty() || desk.may_skip(caller, resource);
        let may_undo = self
            .withdrawal
            .as_ref()
            .is_none_or(|withdrawn| desk.may_undo(caller, withdrawn, false));
        let decide = self.open().is_some_and(|review| {
            let step = review.waits_for().is_some_and(|step| desk.is_for(caller, step));
            let unread = |id| review.may_be_read_by(id, resource.uploaded_by).is_ok();
            step && account.is_some_and(unread)
        });
        let hidden = matches!(resource.stage, Stage::Withdrawn | Stage::Ready);
        let from_withdrawal = hidden
            && self.withdrawal.as_ref().is_some_and(|one| one.may_be_appealed(&self.appeals));
        let appealed = |review: &Review| {
            let from = AppealedFrom::Return(review.id);
            self.appeals.iter().any(|appeal| appeal.from == from)
        };
        let from_return = self.returned().is_some_and(|review| !appealed(review));
        May {
            edit,
            hand_in: edit && ready && !skip,
            publish: edit && ready && skip && may_undo,
            take_back: edit && self.open().is_some(),
            decide,
            withdraw: resource.stage == Stage::Published && (edit || desk.reads(caller)),
            appeal: is_author && (from_withdrawal || from_return),
        }
    }

    async fn name(&mut self, db: &mut AnyConnection) -> Result<(), ApiError> {
        let mut people: Vec<AccountId> = vec![self.resource.uploaded_by];
        let mut teams = Vec::new();
        for review in &self.versions {
            people.push(review.by);
            people.extend(review.decisions.iter().map(|decision| decision.account));
        }
        for step in self.versions.iter().flat_map(|one| &one.steps).chain(&self.desk.chain.0) {
            match step.who {
                Deciders::Account(id) => people.push(id),
                Deciders::Team(id) => teams.push(id),
                Deciders::At { .. } => {}
            }
        }
        people.extend(self.withdrawal.iter().map(|withdrawn| withdrawn.account));
        people.sort_unstable();
        people.dedup();
        for id in people {
            if let Some(name) = db::reviews::person(db, id).await? {
                self.people.insert(id, name);
            }
        }
        for id in teams {
            if let Some(name) = db::reviews::team_name(db, id).await? {
                self.teams.insert(id, name);
            }
        }
        Ok(())
    }
}

/// Who decides in a step with a role, in words: the organisation and the role.
pub(super) fn who(lang: Lang, desk: &Desk, step: &Step) -> String {
    let Deciders::At { level, role } = step.who else { return step.name.clone() };
    let at = match level {
        None => desk.library.name.clone(),
        Some(level) => desk
            .path
            .iter()
            .find(|organisation| organisation.level == level)
            .map_or_else(|| level_name(lang, level).to_owned(), |at| at.name.clone()),
    };
    format!("{at} · {}", role_name(lang, role))
}

/// The word for a level.
pub(super) fn level_name(lang: Lang, level: Level) -> &'static str {
    match level {
        Level::City => lang.pick("市级", "City"),
        Level::District => lang.pick("区县级", "District"),
        Level::Township => lang.pick("乡镇街道级", "Township"),
        Level::Community => lang.pick("村居级", "Community"),
    }
}

/// The word for a role that reviews.
pub(super) fn role_name(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Administrator => lang.pick("管理员", "administrator"),
        Role::Librarian => lang.pick("馆员", "librarian"),
        _ => lang.pick("审核员", "reviewer"),
    }
}

/// The word for the state of a version.
pub(super) fn state_name(lang: Lang, state: ReviewState) -> &'static str {
    match state {
        ReviewState::Open => lang.pick("审核中", "In review"),
        ReviewState::Accepted => lang.pick("审核通过", "Accepted"),
        ReviewState::Returned => lang.pick("已退回", "Returned"),
        ReviewState::TakenBack => lang.pick("已撤回", "Taken back"),
    }
}

/// The word for the state of a complaint or an appeal.
pub(super) fn case_name(lang: Lang, state: CaseState) -> &'static str {
    match state {
        CaseState::Open => lang.pick("处理中", "Being looked at"),
        CaseState::Upheld => lang.pick("成立", "Upheld"),
        CaseState::Rejected => lang.pick("不成立", "Rejected"),
    }
}
