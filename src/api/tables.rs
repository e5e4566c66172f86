//! Resources as tables: exported as CSV and XLSX, imported with a look at what would change.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Deserialize;
use utoipa::IntoParams;

use super::batches::{BatchView, answer};
use super::caller::Who;
use super::problem::ApiError;
use super::reader::Reader;
use crate::app::App;
use crate::batch::columns::Words;
use crate::batch::export::Export;
use crate::batch::plan::{self, Options};
use crate::batch::read;
use crate::batch::which::{self, Which};
use crate::catalogue::{Batch, Caller};

/// Media type of a table as text.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
/// Media type of a spreadsheet.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Which resources, and how they are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// Slug of a library.
    library: Option<String>,
    /// Kind.
    kind: Option<String>,
    /// Stage; others than published only where you are an author.
    stage: Option<String>,
    /// Only those that you may edit, in any stage: what can be imported again.
    editable: bool,
    /// Headings and values of lists as codes instead of words.
    codes: bool,
}

impl ExportQuery {
    async fn begin(self, app: &App, caller: &Caller, reader: &Reader) -> Result<Export, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let which = Which {
            library: given(self.library),
            kind: given(self.kind),
            stage: given(self.stage),
        };
        let mut db = app.db.read().await?;
        let filter = match self.editable {
            true => which::editable(&mut db, caller, &which).await?,
            false => which::visible(&mut db, caller, &which).await?,
        };
        drop(db);
        let words = if self.codes { Words::Codes } else { Words::In(reader.lang) };
        Ok(Export::begin(app, caller, filter, self.editable, words).await?)
    }
}

/// The resources that you may see as CSV (UTF-8 with a mark), in the order of their ids.
#[utoipa::path(get, path = "/api/resources.csv", tag = "resources", params(ExportQuery), responses((status = 200, content_type = "text/csv"), (status = 404)))]
pub(super) async fn csv(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let export = query.begin(&app, &caller, &reader).await?;
    file("resources.csv", CSV, Body::from_stream(export.csv()))
}

/// The same as XLSX, with lists to choose from and a sheet that explains it.
#[utoipa::path(get, path = "/api/resources.xlsx", tag = "resources", params(ExportQuery), responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 404)))]
pub(super) async fn xlsx(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let made = query.begin(&app, &caller, &reader).await?.xlsx().await?;
    let stream = tokio_util::io::ReaderStream::new(tokio::fs::File::from_std(made));
    file("resources.xlsx", XLSX, Body::from_stream(stream))
}

/// A table on its way out.
pub(super) fn file(name: &str, media_type: &str, body: Body) -> Result<Response, ApiError> {
    Response::builder()
        .header(CONTENT_TYPE, media_type)
        .header(CACHE_CONTROL, "no-store")
        .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .body(body)
        .map_err(|error| ApiError::bad(error.to_string()))
}

/// How a table is taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// Only say what would be changed; it can be applied afterwards.
    dry_run: bool,
    /// Change also what somebody changed since the table was exported.
    overwrite: bool,
    /// Name of the file, to be told by.
    name: String,
}

/// Takes a table (CSV in UTF-8 or GB 18030, or XLSX) and changes the resources that it names by
/// their ids; the other columns are those of an export, as many as are wanted. Rows that cannot be
/// made are told with their number, column and reason, and left out.
#[utoipa::path(post, path = "/api/resources/import", tag = "resources", params(ImportQuery), request_body(content = String, content_type = "text/csv"), responses((status = 200, body = BatchView), (status = 403), (status = 413), (status = 422)))]
pub(super) async fn import(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Json<BatchView>, ApiError> {
    let options = Options { name: query.name, overwrite: query.overwrite };
    let batch = take(&app, &caller, body.into(), options).await?;
    answer(&app, &caller, &reader, &batch.id, query.dry_run).await
}

/// Writes down what a table would change.
pub(super) async fn take(
    app: &App,
    caller: &Caller,
    bytes: Vec<u8>,
    options: Options,
) -> Result<Batch, ApiError> {
    let name: String = options.name.trim().replace('\0', "").chars().take(200).collect();
    let grid = read::read(app, bytes).await?;
    Ok(plan::of_table(app, caller, grid, &Options { name, ..options }).await?)
}
