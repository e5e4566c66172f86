//! Changes of many resources at once: made from a choice, seen, applied.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::rfc3339;
use super::sentences::{field_word, sentence};
use super::tables::{CSV, file};
use crate::app::App;
use crate::batch::apply;
use crate::batch::chosen::{self, Chosen, Wanted};
use crate::batch::columns::{self, Words};
use crate::batch::which::Which;
use crate::catalogue::{Act, Batch, BatchRow, Caller, FieldValue, Outcome, Problem};
use crate::db;
use crate::pages::Lang;
use crate::table::Csv;

/// Rows that are read at a time.
const SOME: i64 = 500;

/// How long an answer waits for a batch to be made; a longer one goes on without it.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is to be done to many resources.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBatch {
    /// Only say what would be done; it can be applied afterwards.
    #[serde(default)]
    dry_run: bool,
    /// Ids of resources; or else `filter`.
    #[serde(default)]
    ids: Vec<String>,
    /// All that you may edit among these.
    filter: Option<BatchFilter>,
    /// edit (when left out), publish or withdraw
    #[serde(default)]
    action: String,
    /// What is said anew, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    set: BTreeMap<String, FieldValue>,
    /// What is said besides, by field that holds several values.
    #[serde(default)]
    add: BTreeMap<String, Vec<String>>,
    /// What is said no longer.
    #[serde(default)]
    remove: BTreeMap<String, Vec<String>>,
    /// Why something is withdrawn; only for your own it may be left out.
    #[serde(default)]
    reason: String,
}

/// Which resources.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchFilter {
    /// Slug of a library.
    library: Option<String>,
    /// Kind.
    kind: Option<String>,
    /// Stage.
    stage: Option<String>,
}

/// A batch of changes: what it would do, or did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchView {
    pub id: String,
    /// edit, publish or withdraw
    pub action: &'static str,
    /// seen (nothing was done), applying or done
    pub state: &'static str,
    /// Name of the table; empty: chosen in a list.
    pub table: String,
    pub reason: String,
    /// Rows read.
    pub total: i64,
    /// Rows that say what is so already.
    pub unchanged: i64,
    /// Rows that would change something.
    pub planned: i64,
    /// Of those, rows that would be handed in to a review.
    pub planned_for_review: i64,
    /// Rows that cannot be made.
    pub refused: i64,
    pub done: i64,
    /// Rows that the review of their library has.
    pub handed_in: i64,
    pub failed: i64,
    /// Sentences about all of it.
    pub notes: Vec<String>,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub ended: Option<String>,
    /// Rows that change something or cannot, in order.
    pub rows: Vec<RowView>,
    /// What to ask for as `after` to get more; null: there are none.
    pub next: Option<i64>,
}

/// A row of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowView {
    /// Row of the table, 1 being its heading; or the place in the list, from 1.
    pub number: i64,
    /// Id, as it was named.
    pub resource: String,
    pub title: String,
    /// planned, refused, done, handed_in or failed
    pub outcome: &'static str,
    /// It goes to the review of its library.
    pub for_review: bool,
    pub changes: Vec<ChangeView>,
    pub problems: Vec<ProblemView>,
}

/// A field that is to say something else.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeView {
    pub column: String,
    /// As it is headed.
    pub heading: String,
    /// In words.
    pub before: String,
    /// In words.
    pub after: String,
}

/// Why a row is not made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemView {
    /// Code; empty: all of the row.
    pub column: String,
    /// As it is headed.
    pub heading: String,
    pub value: String,
    pub code: String,
    /// A sentence.
    pub detail: String,
}

/// Which rows.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct RowsQuery {
    /// planned, refused, done, handed_in or failed; all when left out.
    pub outcome: String,
    /// `next` of the answer before.
    pub after: i64,
    /// At most 1000; 100 when left out.
    pub limit: Option<i64>,
}

/// Changes many resources at once, each by the rules of a single change; with `dry_run` says what
/// would be done.
#[utoipa::path(post, path = "/api/resources/bulk", tag = "resources", request_body = NewBatch, responses((status = 200, body = BatchView), (status = 403), (status = 422)))]
pub(super) async fn bulk(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Json(new): Json<NewBatch>,
) -> Result<Json<BatchView>, ApiError> {
    let act = match new.action.as_str() {
        "" => Act::Edit,
        word => word.parse().map_err(|_| ApiError::bad(format!("action {word:?}")))?,
    };
    let chosen = match new.filter {
        Some(_) if !new.ids.is_empty() => return Err(ApiError::bad("ids beside filter")),
        Some(filter) => {
            let BatchFilter { library, kind, stage } = filter;
            Chosen::All(Which { library, kind, stage })
        }
        None if new.ids.is_empty() => return Err(ApiError::bad("neither ids nor filter")),
        None => Chosen::These(new.ids),
    };
    let (set, add, remove, reason) = (new.set, new.add, new.remove, new.reason);
    let wanted = Wanted { act, set, add, remove, reason };
    let batch = chosen::of_choice(&app, &caller, &chosen, &wanted).await?;
    answer(&app, &caller, &reader, &batch.id, new.dry_run).await
}

/// A batch of your own.
#[utoipa::path(get, path = "/api/batches/{id}", tag = "resources", params(("id" = String, Path), RowsQuery), responses((status = 200, body = BatchView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    Query(query): Query<RowsQuery>,
) -> Result<Json<BatchView>, ApiError> {
    Ok(Json(view(&app, &caller, reader.lang, &id, &query).await?))
}

/// All rows of a batch of your own as CSV, a line for each change and each problem.
#[utoipa::path(get, path = "/api/batches/{id}/rows.csv", tag = "resources", params(("id" = String, Path)), responses((status = 200, content_type = "text/csv"), (status = 404)))]
pub(super) async fn report(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    own(&app, &caller, &id).await?;
    let lang = reader.lang;
    let pieces = futures::stream::try_unfold(None, move |after: Option<i64>| {
        let (app, id) = (app.clone(), id.clone());
        async move {
            let mut db = app.db.read().await?;
            let from = after.unwrap_or(0);
            let rows = db::batches::rows(&mut db, &id, None, from, SOME).await?;
            if after.is_some() && rows.is_empty() {
                return Ok::<_, crate::batch::Error>(None);
            }
            let last = rows.last().map_or(from, |row| row.number);
            let lines = rows.into_iter().flat_map(|row| report_lines(lang, row));
            let lines: Vec<Vec<String>> = lines.collect();
            let write = || {
                let mut csv = match after {
                    Some(_) => Csv::go_on(Vec::new()),
                    None => {
                        let mut csv = Csv::begin(Vec::new())?;
                        csv.row(&REPORT_HEAD)?;
                        csv
                    }
                };
                lines.iter().try_for_each(|line| csv.row(line))?;
                csv.end()
            };
            let piece = write().map_err(|error| crate::batch::Error::Write(error.to_string()))?;
            Ok(Some((Bytes::from(piece), Some(last))))
        }
    });
    file("changes.csv", CSV, Body::from_stream(pieces))
}

/// Heads of [`report_lines`].
pub(crate) const REPORT_HEAD: [&str; 8] =
    ["row", "outcome", "id", "title", "column", "before", "after", "reason"];

/// A line for each change and for each problem of a row.
pub(crate) fn report_lines(lang: Lang, row: BatchRow) -> Vec<Vec<String>> {
    let row = row_view(lang, row);
    let begin = |heading: &str| {
        let outcome = row.outcome.to_owned();
        let heading = heading.to_owned();
        vec![row.number.to_string(), outcome, row.resource.clone(), row.title.clone(), heading]
    };
    let changes = row.changes.iter().map(|change| {
        let mut line = begin(&change.heading);
        line.extend([change.before.clone(), change.after.clone(), String::new()]);
        line
    });
    let problems = row.problems.iter().map(|problem| {
        let mut line = begin(&problem.heading);
        line.extend([String::new(), problem.value.clone(), problem.detail.clone()]);
        line
    });
    let lines: Vec<Vec<String>> = changes.chain(problems).collect();
    // A row that is published or withdrawn says nothing anew.
    if lines.is_empty() {
        let mut line = begin("");
        line.extend([String::new(), String::new(), String::new()]);
        return vec![line];
    }
    lines
}

/// Makes the changes that a batch of your own says, or goes on with them. Rows that cannot be made
/// are left out.
#[utoipa::path(post, path = "/api/batches/{id}/apply", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = BatchView), (status = 404)))]
pub(super) async fn make(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, ApiError> {
    answer(&app, &caller, &reader, &id, false).await
}

/// Makes the batch `id` unless it is only to be seen; what it says then.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    id: &str,
    dry_run: bool,
) -> Result<Json<BatchView>, ApiError> {
    if !dry_run {
        begin(app, caller, id).await?;
    }
    Ok(Json(view(app, caller, reader.lang, id, &RowsQuery::default()).await?))
}

/// Begins to make a batch of the caller's own; waits a little for its end.
pub(super) async fn begin(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    own(app, caller, id).await?;
    let (app, id) = (app.clone(), id.to_owned());
    let making = tokio::spawn(async move {
        let made = apply::run(&app, &id).await;
        if let Err(error) = &made {
            tracing::warn!(%error, batch = id, "a batch of changes waits");
        }
        made
    });
    match tokio::time::timeout(PATIENCE, making).await {
        Ok(Ok(made)) => Ok(made?),
        // It goes on; or it is gone on with by another.
        _ => Ok(()),
    }
}

/// The batch `id`, if it is the caller's.
pub(super) async fn own(app: &App, caller: &Caller, id: &str) -> Result<Batch, ApiError> {
    let account = caller.account()?.id;
    let found = db::batches::find(&mut *app.db.read().await?, id).await?;
    found.filter(|batch| batch.account == account).ok_or(ApiError::NotFound)
}

/// What a batch of the caller's own would do or did.
pub(super) async fn view(
    app: &App,
    caller: &Caller,
    lang: Lang,
    id: &str,
    query: &RowsQuery,
) -> Result<BatchView, ApiError> {
    let batch = own(app, caller, id).await?;
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let outcome = match query.outcome.as_str() {
        "" => None,
        word => Some(word.parse::<Outcome>().map_err(|_| ApiError::bad("outcome"))?),
    };
    let mut db = app.db.read().await?;
    let counts = db::batches::counts(&mut db, id).await?;
    let rows = db::batches::rows(&mut db, id, outcome, query.after, limit).await?;
    drop(db);
    let of = |outcome: Outcome| counts.iter().find(|(known, ..)| *known == outcome);
    let count = |outcome| of(outcome).map_or(0, |(_, count, _)| *count);
    Ok(BatchView {
        action: batch.act.as_str(),
        state: batch.state.as_str(),
        table: batch.name,
        reason: batch.reason,
        total: batch.total,
        unchanged: batch.unchanged,
        planned: count(Outcome::Planned),
        planned_for_review: of(Outcome::Planned).map_or(0, |(.., handed)| *handed),
        refused: count(Outcome::Refused),
        done: count(Outcome::Done),
        handed_in: count(Outcome::HandedIn),
        failed: count(Outcome::Failed),
        notes: batch.notes.iter().map(|code| sentence(lang, code, "")).collect(),
        created: rfc3339(batch.created_ms),
        ended: batch.ended_ms.map(rfc3339),
        next: rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.number),
        rows: rows.into_iter().map(|row| row_view(lang, row)).collect(),
        id: batch.id,
    })
}

fn row_view(lang: Lang, row: BatchRow) -> RowView {
    let change = |change: &crate::catalogue::NewValue| {
        let column = columns::by_code(&change.column);
        let word = |value| column.map(|column| column.worded(value, Words::In(lang)));
        ChangeView {
            heading: heading(lang, &change.column),
            before: word(&change.before).unwrap_or_default(),
            after: word(&change.after).unwrap_or_default(),
            column: change.column.clone(),
        }
    };
    RowView {
        number: row.number,
        outcome: row.outcome.as_str(),
        for_review: row.hands_in,
        changes: row.changes.iter().map(change).collect(),
        problems: row.problems.iter().map(|problem| problem_view(lang, problem)).collect(),
        resource: row.resource,
        title: row.title,
    }
}

/// What a column is called.
fn heading(lang: Lang, column: &str) -> String {
    match columns::by_code(column) {
        Some(column) => column.heading(Words::In(lang)).to_owned(),
        None => field_word(lang, column),
    }
}

/// Why a row is not made, in words.
pub(super) fn problem_view(lang: Lang, problem: &Problem) -> ProblemView {
    let heading = heading(lang, &problem.column);
    let value = match problem.column.as_str() {
        "stage" => match problem.value.parse() {
            Ok(stage) => crate::pages::stage_word(lang, stage).to_owned(),
            Err(_) => problem.value.clone(),
        },
        _ => problem.value.clone(),
    };
    ProblemView {
        detail: sentence(lang, &problem.code, &value),
        column: problem.column.clone(),
        heading,
        value,
        code: problem.code.clone(),
    }
}
