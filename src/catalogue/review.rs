//! Review (三审三校): the way of what was handed in along a chain of steps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::chain::{Chain, DAY_MS, Step};
use super::{
    AccountId, Caption, Details, LibraryId, Resource, ResourceId, ReviewId, RuleError, Stage,
};

/// What was handed in, to be compared with the time before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// What was said about it.
    pub details: Details,
    /// Key of the poster.
    pub poster: Option<String>,
    /// Hash of the source.
    pub source: Option<String>,
    /// Its captions: name and key.
    pub captions: Vec<(String, String)>,
}

/// Something that is another than the time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A field of the details, or `poster`, `source` or `captions`.
    pub field: &'static str,
    /// As it was; empty: not there.
    pub before: String,
    /// As it is.
    pub after: String,
}

impl Snapshot {
    /// Of `resource` as it is, with `captions`.
    #[must_use]
    pub fn of(resource: &Resource, captions: &[Caption]) -> Self {
        let known = |caption: &Caption| (caption.name.clone(), caption.key.clone());
        Self {
            details: resource.details.clone(),
            poster: resource.poster.clone(),
            source: resource.source.map(|hash| hash.to_string()),
            captions: captions.iter().map(known).collect(),
        }
    }

    /// What is another than in `before`, in the order of the form.
    #[must_use]
    pub fn changes(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut compare = |field, before: String, after: String| {
            if before != after {
                changes.push(Change { field, before, after });
            }
        };
        let (old, new) = (&before.details, &self.details);
        compare("title", old.title.clone(), new.title.clone());
        compare("description", old.description.clone(), new.description.clone());
        let language = |details: &Details| details.language.clone().unwrap_or_default();
        compare("language", language(old), language(new));
        compare("author", old.author.clone(), new.author.clone());
        compare("licence", old.licence.clone(), new.licence.clone());
        compare("topics", old.topics.join(" "), new.topics.join(" "));
        compare("audiences", old.audiences.join(" "), new.audiences.join(" "));
        let was = old.particulars.texts().into_iter();
        for ((field, before), (_, after)) in was.zip(new.particulars.texts()) {
            compare(field, before, after);
        }
        let name = |key: &Option<String>| key.clone().unwrap_or_default();
        compare("poster", name(&before.poster), name(&self.poster));
        compare("source", name(&before.source), name(&self.source));
        let (old, new) = (&before.captions, &self.captions);
        for (name, key) in new {
            match old.iter().find(|(known, _)| known == name) {
                None => compare("captions", String::new(), name.clone()),
                Some((_, was)) if was != key => {
                    compare("captions", name.clone(), format!("{name} *"));
                }
                Some(_) => {}
            }
        }
        for (name, _) in old.iter().filter(|(name, _)| !new.iter().any(|(known, _)| known == name))
        {
            compare("captions", name.clone(), String::new());
        }
        changes
    }
}

/// How far what was handed in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// A step has it.
    Open,
    /// Every step accepted it.
    Accepted,
    /// A step returned it.
    Returned,
    /// Who handed it in took it back, or it was withdrawn or deleted meanwhile.
    TakenBack,
}

impl ReviewState {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Returned => "returned",
            Self::TakenBack => "taken_back",
        }
    }
}

impl fmt::Display for ReviewState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReviewState {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad = || RuleError::BadField { field: "state", value: text.chars().take(40).collect() };
        [Self::Open, Self::Accepted, Self::Returned, Self::TakenBack]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(bad)
    }
}

/// What a step says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next step.
    Accept,
    /// Back to the author.
    Return,
}

impl Verdict {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Return => "return",
        }
    }
}

impl FromStr for Verdict {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        match text {
            "accept" => Ok(Self::Accept),
            "return" => Ok(Self::Return),
            other => {
                let value = other.chars().take(40).collect();
                Err(RuleError::BadField { field: "verdict", value })
            }
        }
    }
}

/// What a step said of what was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Index of the step.
    pub step: usize,
    /// Accepted or returned.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who.
    pub account: AccountId,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// It was decided above, when the author appealed.
    pub appealed: bool,
}

/// One version of a resource on its way through a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// What was handed in.
    pub resource: ResourceId,
    /// Its library.
    pub library: LibraryId,
    /// From 1, by resource.
    pub version: i64,
    /// How far it has come.
    pub state: ReviewState,
    /// The chain as it was when this was handed in.
    pub steps: Vec<Step>,
    /// Index of the step that has it, or had it last.
    pub step: usize,
    /// Until when that step is to decide, Unix milliseconds.
    pub due_ms: i64,
    /// What was handed in.
    pub snapshot: Snapshot,
    /// The resource is published as it was before, until this is accepted.
    pub update: bool,
    /// Who handed it in.
    pub by: AccountId,
    /// Unix milliseconds.
    pub handed_in_ms: i64,
    /// Unix milliseconds.
    pub ended_ms: Option<i64>,
    /// What was decided, in order.
    pub decisions: Vec<Decision>,
}

/// The longest reason or comment, characters.
const MAX_WORDS: usize = 4000;

/// `text` as it is kept: trimmed, without NUL.
///
/// # Errors
///
/// [`RuleError::BadField`] when it is longer than `MAX_WORDS`, or empty where it is `needed`.
pub fn words(field: &'static str, text: &str, needed: bool) -> Result<String, RuleError> {
    let text = text.trim().replace('\0', "");
    if text.chars().count() > MAX_WORDS || needed && text.is_empty() {
        let value = text.chars().take(40).collect();
        return Err(RuleError::BadField { field, value });
    }
    Ok(text)
}

impl Review {
    /// Hands in `resource` as it is in `snapshot`: to the first step of `chain`. What is published
    /// stays published until all of it is accepted; all else is `submitted`.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is ready, withdrawn or published;
    /// [`RuleError::Conflict`] when there is no chain.
    pub fn hand_in(
        resource: Resource,
        chain: &Chain,
        version: i64,
        snapshot: Snapshot,
        by: AccountId,
        now_ms: i64,
    ) -> Result<(Resource, Self), RuleError> {
        let first = chain.0.first().ok_or(RuleError::Conflict("no_chain"))?;
        let update = resource.stage == Stage::Published;
        let review = Self {
            id: ReviewId::fresh(),
            resource: resource.id,
            library: resource.library,
            version,
            state: ReviewState::Open,
            due_ms: now_ms.saturating_add(first.days * DAY_MS),
            steps: chain.0.clone(),
            step: 0,
            snapshot,
            update,
            by,
            handed_in_ms: now_ms,
            ended_ms: None,
            decisions: Vec::new(),
        };
        let resource = if update { resource } else { resource.submit()? };
        Ok((resource, review))
    }

    /// The step that has it, while one has.
    #[must_use]
    pub fn waits_for(&self) -> Option<&Step> {
        self.steps.get(self.step).filter(|_| self.state == ReviewState::Open)
    }

    /// Whether a step has it for longer than it may at `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn is_overdue(&self, now_ms: i64) -> bool {
        self.state == ReviewState::Open && now_ms > self.due_ms
    }

    /// Whether `account` may decide, as far as this way itself goes: nobody reads their own work,
    /// and everybody reads once.
    ///
    /// # Errors
    ///
    /// [`RuleError::Conflict`].
    pub fn may_be_read_by(&self, account: AccountId, author: AccountId) -> Result<(), RuleError> {
        if account == self.by || account == author {
            return Err(RuleError::Conflict("own_work"));
        }
        if self.decisions.iter().any(|decision| decision.account == account) {
            return Err(RuleError::Conflict("read_before"));
        }
        Ok(())
    }

    /// Lets `decision` be taken by the step that has it; gives what becomes of the resource.
    ///
    /// # Errors
    ///
    /// [`RuleError::Conflict`] when nothing is to be decided, or the decision is another step's;
    /// [`RuleError::BadField`] for a return without a reason.
    pub fn decide(
        mut self,
        resource: Resource,
        decision: Decision,
    ) -> Result<(Resource, Self), RuleError> {
        if self.state != ReviewState::Open || decision.step != self.step {
            return Err(RuleError::Conflict("decided_already"));
        }
        let reason = words("reason", &decision.reason, decision.verdict == Verdict::Return)?;
        let now_ms = decision.at_ms;
        let resource = match (decision.verdict, self.steps.get(self.step + 1)) {
            (Verdict::Accept, Some(next)) => {
                self.step += 1;
                self.due_ms = now_ms.saturating_add(next.days * DAY_MS);
                resource
            }
            (Verdict::Accept, None) => {
                self.end(ReviewState::Accepted, now_ms);
                self.put_in_force(resource, now_ms)?
            }
            (Verdict::Return, _) => {
                self.end(ReviewState::Returned, now_ms);
                if self.update { resource } else { resource.give_back()? }
            }
        };
        self.decisions.push(Decision { reason, ..decision });
        Ok((resource, self))
    }

    /// Makes what was handed in what everybody sees.
    fn put_in_force(&self, resource: Resource, now_ms: i64) -> Result<Resource, RuleError> {
        if !self.update {
            return resource.accept(now_ms);
        }
        match resource.stage {
            Stage::Published => Ok(Resource {
                details: self.snapshot.details.clone(),
                poster: self.snapshot.poster.clone(),
                ..resource
            }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Goes on after the step that returned it, since those above it would have accepted.
    ///
    /// # Errors
    ///
    /// [`RuleError::Conflict`] unless it was returned; [`RuleError::WrongStage`] when the resource
    /// is not where the return left it.
    pub fn overrule(
        mut self,
        resource: Resource,
        decision: Decision,
    ) -> Result<(Resource, Self), RuleError> {
        if self.state != ReviewState::Returned {
            return Err(RuleError::Conflict("not_returned"));
        }
        self.state = ReviewState::Open;
        self.ended_ms = None;
        let resource = if self.update { resource } else { resource.submit()? };
        self.decide(resource, decision)
    }

    /// Takes it back.
    ///
    /// # Errors
    ///
    /// [`RuleError::Conflict`] when no step has it.
    pub fn take_back(
        mut self,
        resource: Resource,
        now_ms: i64,
    ) -> Result<(Resource, Self), RuleError> {
        if self.state != ReviewState::Open {
            return Err(RuleError::Conflict("not_in_review"));
        }
        self.end(ReviewState::TakenBack, now_ms);
        let resource = if self.update { resource } else { resource.give_back()? };
        Ok((resource, self))
    }

    fn end(&mut self, state: ReviewState, now_ms: i64) {
        self.state = state;
        self.ended_ms = Some(now_ms);
    }
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
