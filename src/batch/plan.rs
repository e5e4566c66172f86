//! What a table would change: every row is held against its resource.

use std::collections::{HashMap, HashSet};

use sqlx::AnyConnection;

use super::columns::{self, CHANGED, Column, ID, Subject};
use super::{Error, which};
use crate::app::App;
use crate::catalogue::{
    Act, Batch, BatchRow, BatchState, Caller, FieldValue, Library, LibraryId, NewValue, Outcome,
    Problem, Resource, ResourceId, ReviewState, Stage,
};
use crate::db;
use crate::ingest::stage::Edit;
use crate::table::{self, Grid, tidy};

/// Resources that are read at a time.
const BATCH: usize = 200;

/// How a table is taken.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the file.
    pub name: String,
    /// What somebody changed since the table was made is changed all the same.
    pub overwrite: bool,
}

/// Writes down what `grid` would change with the rights of `caller`.
///
/// # Errors
///
/// [`Error::Table`] when it cannot be taken at all: nothing is written down then.
pub async fn of_table(
    app: &App,
    caller: &Caller,
    grid: Grid,
    options: &Options,
) -> Result<Batch, Error> {
    let account = caller.account()?.id;
    let heads = heads(&grid)?;
    let mut db = app.db.read().await?;
    let mut judge = Judge {
        caller,
        overwrite: options.overwrite,
        libraries: which::libraries(&mut db).await?,
        chains: HashMap::new(),
        seen: HashSet::new(),
        heads,
    };
    let total = grid.rows.len();
    let mut rows = Vec::new();
    for some in grid.rows.chunks(BATCH) {
        let id = |row: &table::Row| judge.cell(row, ID).parse::<ResourceId>().ok();
        let ids: Vec<ResourceId> = some.iter().filter_map(id).collect();
        let found = which::these(&mut db, caller, &ids).await?;
        for row in some {
            rows.extend(judge.row(&mut db, row, &found).await?);
        }
    }
    drop(db);
    let has_changed = judge.heads.iter().flatten().any(|column| column.code == CHANGED);
    let notes = [
        (!has_changed && !options.overwrite).then_some("batch_unguarded"),
        options.overwrite.then_some("batch_overwrites"),
    ];
    let batch = Batch {
        name: options.name.clone(),
        notes: notes.into_iter().flatten().map(str::to_owned).collect(),
        ..fresh(account, Act::Edit, app.now_ms())
    };
    keep(app, batch, total, &rows).await
}

/// A batch that is not written down yet.
pub(super) fn fresh(account: crate::catalogue::AccountId, act: Act, now_ms: i64) -> Batch {
    Batch {
        id: uuid::Uuid::now_v7().simple().to_string(),
        account,
        act,
        name: String::new(),
        reason: String::new(),
        state: BatchState::Seen,
        total: 0,
        unchanged: 0,
        notes: Vec::new(),
        created_ms: now_ms,
        ended_ms: None,
    }
}

/// Writes a batch of `total` rows down, of which `rows` change something or cannot.
pub(super) async fn keep(
    app: &App,
    batch: Batch,
    total: usize,
    rows: &[BatchRow],
) -> Result<Batch, Error> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let batch =
        Batch { total: count(total), unchanged: count(total - rows.len().min(total)), ..batch };
    let mut tx = app.db.begin().await?;
    db::batches::insert(&mut tx, &batch, rows).await?;
    tx.commit().await?;
    Ok(batch)
}

/// The column of each cell of the heading; `None` where nothing stands.
fn heads(grid: &Grid) -> Result<Vec<Option<&'static Column>>, Error> {
    let bad = |code, info: &str| Error::Table { code, info: info.chars().take(60).collect() };
    if grid.heading.is_empty() {
        return Err(bad("table_empty", ""));
    }
    let mut heads: Vec<Option<&'static Column>> = Vec::new();
    for heading in &grid.heading {
        if heading.is_empty() {
            heads.push(None);
            continue;
        }
        let column = columns::by_heading(heading).ok_or_else(|| bad("table_unknown", heading))?;
        if heads.iter().flatten().any(|known| known.code == column.code) {
            return Err(bad("table_twice", heading));
        }
        heads.push(Some(column));
    }
    match heads.iter().flatten().any(|column| column.code == ID) {
        true => Ok(heads),
        false => Err(bad("table_no_id", "")),
    }
}

/// What rows are held against.
struct Judge<'a> {
    caller: &'a Caller,
    overwrite: bool,
    libraries: HashMap<LibraryId, Library>,
    /// Whether a library has a chain.
    chains: HashMap<LibraryId, bool>,
    seen: HashSet<ResourceId>,
    heads: Vec<Option<&'static Column>>,
}

impl Judge<'_> {
    /// The cell of `row` in the column `code`; empty when there is none.
    fn cell<'r>(&self, row: &'r table::Row, code: &str) -> &'r str {
        let is = |head: &Option<&Column>| head.is_some_and(|column| column.code == code);
        let at = self.heads.iter().position(is);
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }

    /// What becomes of `row`; `None`: it says what is so already.
    async fn row(
        &mut self,
        db: &mut AnyConnection,
        row: &table::Row,
        found: &HashMap<ResourceId, Resource>,
    ) -> Result<Option<BatchRow>, Error> {
        let named = self.cell(row, ID);
        let number = i64::try_from(row.number).unwrap_or(i64::MAX);
        let id = named.parse::<ResourceId>().ok();
        let Some(resource) = id.and_then(|id| found.get(&id)) else {
            let code = if named.is_empty() { "row_no_id" } else { "row_missing" };
            return Ok(Some(refused(number, named, Problem::new(ID, named, code))));
        };
        if !self.seen.insert(resource.id) {
            return Ok(Some(refused(number, named, Problem::new(ID, named, "row_twice"))));
        }
        let Some(library) = self.libraries.get(&resource.library) else { return Ok(None) };
        let subject = Subject { resource, library };
        let (changes, mut problems) = self.fields(row, subject);
        if changes.is_empty() && problems.is_empty() {
            return Ok(None);
        }
        problems.extend(self.conflict(row, resource));
        let hands_in = self.hands_in(db, resource).await?;
        if may_not_wait(db, resource, hands_in).await? {
            problems.push(Problem::new("", "", "in_review"));
        }
        Ok(Some(row_of(number, resource, changes, hands_in, problems)))
    }

    /// What the cells of `row` change of `subject`, and what of it cannot be.
    fn fields(&self, row: &table::Row, subject: Subject<'_>) -> (Vec<NewValue>, Vec<Problem>) {
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        let beyond = row.cells.iter().enumerate().find(|(at, cell)| {
            !cell.is_empty() && self.heads.get(*at).copied().flatten().is_none()
        });
        if let Some((_, cell)) = beyond {
            problems.push(Problem::new("", cell, "row_long"));
        }
        for (at, column) in self.heads.iter().enumerate() {
            let Some(column) = column else { continue };
            let cell = row.cells.get(at).map_or("", String::as_str);
            if [ID, CHANGED].contains(&column.code) || column.says(cell, subject) {
                continue;
            }
            if !column.may_change() {
                // What was left out says nothing.
                if !cell.is_empty() {
                    problems.push(Problem::new(column.code, cell, "row_fixed"));
                }
                continue;
            }
            match field(column, column.read(cell), subject) {
                Ok(change) => changes.extend(change),
                Err(_) if cell.is_empty() => {
                    problems.push(Problem::new(column.code, "", "row_needed"));
                }
                Err(problem) => problems.push(problem),
            }
        }
        (changes, problems)
    }

    /// That somebody changed `resource` since the table was made.
    fn conflict(&self, row: &table::Row, resource: &Resource) -> Option<Problem> {
        let cell = self.cell(row, CHANGED);
        let same = cell.is_empty() || cell.parse() == Ok(resource.changed);
        (!same && !self.overwrite).then(|| Problem::new(CHANGED, cell, "row_changed"))
    }

    /// Whether what is said of `resource` goes to the review of its library first.
    async fn hands_in(
        &mut self,
        db: &mut AnyConnection,
        resource: &Resource,
    ) -> Result<bool, Error> {
        if resource.stage != Stage::Published || self.caller.is_librarian_of(resource.library) {
            return Ok(false);
        }
        if let Some(has) = self.chains.get(&resource.library) {
            return Ok(*has);
        }
        let has = !db::reviews::chain(db, resource.library).await?.is_empty();
        self.chains.insert(resource.library, has);
        Ok(has)
    }
}

/// Whether what is in review keeps `resource` from being changed.
pub(super) async fn may_not_wait(
    db: &mut AnyConnection,
    resource: &Resource,
    hands_in: bool,
) -> Result<bool, Error> {
    if !hands_in {
        return Ok(resource.stage == Stage::Submitted);
    }
    let last = db::reviews::last(db, resource.id).await?;
    Ok(last.is_some_and(|last| last.state == ReviewState::Open))
}

/// What saying `value` in `column` changes of `subject`; `None`: nothing.
pub(super) fn field(
    column: &Column,
    value: FieldValue,
    subject: Subject<'_>,
) -> Result<Option<NewValue>, Problem> {
    let before = column.value(subject);
    if value.is_same(&before) {
        return Ok(None);
    }
    let mut edit = Edit::default();
    if !column.set(&mut edit, &subject.resource.details, value) {
        return Err(Problem::new(column.code, "", "row_fixed"));
    }
    let edited = edit.of(subject.resource.clone()).map_err(|rule| Problem {
        column: column.code.to_owned(),
        ..Problem::of_rule(column.code, &rule)
    })?;
    let after = column.value(Subject { resource: &edited, ..subject });
    let same = after.is_same(&before) || tidy_of(&after) == tidy_of(&before);
    Ok((!same).then(|| NewValue { column: column.code.to_owned(), before, after }))
}

/// As a cell would have it.
fn tidy_of(value: &FieldValue) -> Vec<String> {
    match value {
        FieldValue::One(text) => vec![tidy(text)],
        FieldValue::Many(texts) => texts.iter().map(|text| tidy(text)).collect(),
    }
}

fn short(cell: &str) -> String {
    Problem::new("", cell, "").value
}

/// A row that is made, unless it has problems.
pub(super) fn row_of(
    number: i64,
    resource: &Resource,
    changes: Vec<NewValue>,
    hands_in: bool,
    problems: Vec<Problem>,
) -> BatchRow {
    BatchRow {
        number,
        resource: resource.id.to_string(),
        title: resource.details.title.clone(),
        since: resource.changed,
        changes,
        hands_in,
        outcome: if problems.is_empty() { Outcome::Planned } else { Outcome::Refused },
        problems,
    }
}

/// A row whose resource is not there.
pub(super) fn refused(number: i64, named: &str, problem: Problem) -> BatchRow {
    BatchRow {
        number,
        resource: short(named),
        title: String::new(),
        since: 0,
        changes: Vec::new(),
        hands_in: false,
        outcome: Outcome::Refused,
        problems: vec![problem],
    }
}
