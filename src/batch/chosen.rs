//! What a choice in a list would change: the same for many resources.

use std::collections::{BTreeMap, HashMap};

use sqlx::AnyConnection;

use super::columns::{self, Subject};
use super::plan::{field, fresh, keep, may_not_wait, refused, row_of};
use super::which::{self, Which};
use super::{Error, table_rows};
use crate::app::App;
use crate::catalogue::{
    Act, Batch, BatchRow, Caller, FieldValue, Library, LibraryId, NewValue, Problem, Resource,
    ResourceId, RuleError, Stage,
};
use crate::db;
use crate::review::Desk;

/// Resources that are read at a time.
const SOME: usize = 200;

/// Which resources.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// Those of these ids.
    These(Vec<String>),
    /// All that the caller may edit among these.
    All(Which),
}

/// What is to be done to each.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What.
    pub act: Act,
    /// What is said anew, by column.
    pub set: BTreeMap<String, FieldValue>,
    /// What is said besides, by column.
    pub add: BTreeMap<String, Vec<String>>,
    /// What is said no longer, by column.
    pub remove: BTreeMap<String, Vec<String>>,
    /// Why something is withdrawn.
    pub reason: String,
}

impl Wanted {
    /// Whether it says something that can be done.
    fn check(&self) -> Result<(), Error> {
        let named = self.set.keys().chain(self.add.keys()).chain(self.remove.keys());
        for code in named {
            let column = columns::by_code(code).filter(|column| column.may_change());
            let many = self.add.contains_key(code) || self.remove.contains_key(code);
            let bad = || RuleError::BadField { field: "columns", value: code.clone() };
            if column.is_none_or(|column| many && !column.many) {
                return Err(bad().into());
            }
        }
        let says = !self.set.is_empty() || !self.add.is_empty() || !self.remove.is_empty();
        if says != (self.act == Act::Edit) {
            return Err(Error::Table { code: "batch_nothing", info: String::new() });
        }
        Ok(())
    }

    /// What it changes of `subject`, and what of it cannot be.
    fn fields(&self, subject: Subject<'_>) -> (Vec<NewValue>, Vec<Problem>) {
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for column in columns::COLUMNS {
            let Some(value) = self.value(column, subject) else { continue };
            match field(column, value, subject) {
                Ok(change) => changes.extend(change),
                Err(problem) => problems.push(problem),
            }
        }
        (changes, problems)
    }

    /// What is to stand in `column`.
    fn value(&self, column: &columns::Column, subject: Subject<'_>) -> Option<FieldValue> {
        let (add, remove) = (self.add.get(column.code), self.remove.get(column.code));
        let set = self.set.get(column.code).map(|value| match value {
            FieldValue::One(text) => column.read(text),
            FieldValue::Many(texts) => FieldValue::Many(texts.clone()),
        });
        if set.is_none() && add.is_none() && remove.is_none() {
            return None;
        }
        let mut value = set.unwrap_or_else(|| column.value(subject));
        if let FieldValue::Many(texts) = &mut value {
            for text in add.into_iter().flatten() {
                if !texts.contains(text) {
                    texts.push(text.clone());
                }
            }
            texts.retain(|text| !remove.is_some_and(|gone| gone.contains(text)));
        }
        Some(value)
    }
}

/// Writes down what would become of those that are `chosen`, with the rights of `caller`.
///
/// # Errors
///
/// [`Error::Table`] and [`Error::Rule`] for what cannot be wanted at all.
pub async fn of_choice(
    app: &App,
    caller: &Caller,
    chosen: &Chosen,
    wanted: &Wanted,
) -> Result<Batch, Error> {
    let account = caller.account()?.id;
    wanted.check()?;
    let reason = crate::catalogue::words("reason", &wanted.reason, false)?;
    let most = app.config.tables.max_rows;
    let mut db = app.db.read().await?;
    let mut judge = Judge {
        caller,
        wanted,
        reasoned: !reason.is_empty(),
        libraries: which::libraries(&mut db).await?,
        desks: HashMap::new(),
        now_ms: app.now_ms(),
        total: 0,
        rows: Vec::new(),
    };
    match chosen {
        Chosen::These(named) => {
            if named.len() > most {
                return Err(table_rows(most));
            }
            judge.these(&mut db, named).await?;
        }
        Chosen::All(which) => {
            let filter = which::editable(&mut db, caller, which).await?;
            let mut after = None;
            loop {
                let found = db::resources::list_after(&mut db, &filter, after, SOME as i64).await?;
                let Some(last) = found.last() else { break };
                after = Some(last.id);
                for resource in found.iter().filter(|resource| caller.can_edit(resource)) {
                    judge.one(&mut db, resource).await?;
                }
                if judge.total > most {
                    return Err(table_rows(most));
                }
            }
        }
    }
    drop(db);
    let (total, rows) = (judge.total, judge.rows);
    keep(app, Batch { reason, ..fresh(account, wanted.act, app.now_ms()) }, total, &rows).await
}

struct Judge<'a> {
    caller: &'a Caller,
    wanted: &'a Wanted,
    /// A reason is given.
    reasoned: bool,
    libraries: HashMap<LibraryId, Library>,
    desks: HashMap<LibraryId, Desk>,
    now_ms: i64,
    total: usize,
    rows: Vec<BatchRow>,
}

impl Judge<'_> {
    /// Those of the ids `named`, each once.
    async fn these(&mut self, db: &mut AnyConnection, named: &[String]) -> Result<(), Error> {
        let mut seen = std::collections::HashSet::new();
        for some in named.chunks(SOME) {
            let ids: Vec<ResourceId> = some.iter().filter_map(|id| id.parse().ok()).collect();
            let found = which::these(db, self.caller, &ids).await?;
            for name in some {
                let resource = name.parse().ok().and_then(|id: ResourceId| found.get(&id));
                match resource {
                    Some(resource) if !seen.insert(resource.id) => {}
                    Some(resource) => self.one(db, resource).await?,
                    None => {
                        self.total += 1;
                        let problem = Problem::new(columns::ID, name, "row_missing");
                        self.rows.push(refused(self.number(), name, problem));
                    }
                }
            }
        }
        Ok(())
    }

    fn number(&self) -> i64 {
        i64::try_from(self.total).unwrap_or(i64::MAX)
    }

    async fn one(&mut self, db: &mut AnyConnection, resource: &Resource) -> Result<(), Error> {
        self.total += 1;
        let Some(library) = self.libraries.get(&resource.library).cloned() else { return Ok(()) };
        if !self.desks.contains_key(&library.id) {
            let desk = Desk::of(db, self.caller, library.id, self.now_ms).await?;
            self.desks.insert(library.id, desk);
        }
        let (mut changes, mut problems, mut hands_in) = (Vec::new(), Vec::new(), false);
        match self.wanted.act {
            Act::Edit => {
                let subject = Subject { resource, library: &library };
                (changes, problems) = self.wanted.fields(subject);
                if changes.is_empty() && problems.is_empty() {
                    return Ok(());
                }
                let reviewed = !self.caller.is_librarian_of(library.id);
                let chained = !self.desks[&library.id].chain.is_empty();
                hands_in = reviewed && chained && resource.stage == Stage::Published;
                if may_not_wait(db, resource, hands_in).await? {
                    problems.push(Problem::new("", "", "in_review"));
                }
            }
            Act::Publish if resource.stage == Stage::Published => return Ok(()),
            Act::Withdraw if resource.stage == Stage::Withdrawn => return Ok(()),
            Act::Publish => {
                let desk = &self.desks[&library.id];
                hands_in = !desk.chain.is_empty() && !desk.may_skip(self.caller, resource);
                problems.extend(may_publish(db, desk, self.caller, resource, hands_in).await?);
            }
            Act::Withdraw => problems.extend(self.may_withdraw(resource)),
        }
        self.rows.push(row_of(self.number(), resource, changes, hands_in, problems));
        Ok(())
    }

    /// Why `resource` cannot be withdrawn.
    fn may_withdraw(&self, resource: &Resource) -> Option<Problem> {
        if resource.stage != Stage::Published {
            return Some(Problem::of_rule("stage", &RuleError::WrongStage(resource.stage)));
        }
        let own = self.caller.0.as_ref().is_some_and(|account| account.id == resource.uploaded_by);
        (!own && !self.reasoned).then(|| Problem::new("reason", "", "row_reason"))
    }
}

/// Why `resource` can be neither published nor handed in.
async fn may_publish(
    db: &mut AnyConnection,
    desk: &Desk,
    caller: &Caller,
    resource: &Resource,
    hands_in: bool,
) -> Result<Option<Problem>, Error> {
    match resource.stage {
        Stage::Ready | Stage::Withdrawn => {}
        Stage::Submitted => return Ok(Some(Problem::new("", "", "in_review"))),
        stage => return Ok(Some(Problem::of_rule("stage", &RuleError::WrongStage(stage)))),
    }
    let withdrawn = db::complaints::withdrawal_of(db, resource.id).await?;
    let held = withdrawn.is_some_and(|withdrawn| !desk.may_undo(caller, &withdrawn, false));
    Ok((held && !hands_in).then(|| Problem::new("", "", "withdrawn_by_order")))
}
