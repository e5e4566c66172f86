//! Tables of resources, written while they are read: memory does not grow with them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Seek as _;

use bytes::Bytes;
use futures::Stream;

use super::Error;
use super::columns::{COLUMNS, Subject, Words};
use super::which;
use crate::app::App;
use crate::catalogue::{Caller, Library, LibraryId, Resource, ResourceId};
use crate::db;
use crate::db::resources::Filter;
use crate::pages::Lang;
use crate::table::{Book, Csv, Sheet};

/// Resources that are read at a time.
const SOME: i64 = 500;

/// Chunks that wait to be written to a spreadsheet.
const WAITING: usize = 2;

/// A table that is being made.
pub struct Export {
    app: App,
    caller: Caller,
    filter: Filter,
    /// Only what the caller may edit.
    editable: bool,
    words: Words,
    libraries: HashMap<LibraryId, Library>,
    after: Option<ResourceId>,
    begun: bool,
}

impl Export {
    /// Begins one of the resources that `filter` takes; only of those that `caller` may edit, if
    /// `editable`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn begin(
        app: &App,
        caller: &Caller,
        filter: Filter,
        editable: bool,
        words: Words,
    ) -> Result<Self, Error> {
        let libraries = which::libraries(&mut *app.db.read().await?).await?;
        let (app, caller) = (app.clone(), caller.clone());
        Ok(Self { app, caller, filter, editable, words, libraries, after: None, begun: false })
    }

    /// The next rows; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, Error> {
        let mut db = self.app.db.read().await?;
        let found = db::resources::list_after(&mut db, &self.filter, self.after, SOME).await?;
        drop(db);
        let Some(last) = found.last() else { return Ok(None) };
        self.after = Some(last.id);
        Ok(Some(found.iter().filter_map(|resource| self.row(resource)).collect()))
    }

    fn row(&self, resource: &Resource) -> Option<Vec<String>> {
        let library = self.libraries.get(&resource.library)?;
        let shown = match self.editable {
            true => self.caller.can_edit(resource),
            false => self.caller.can_see(resource, library),
        };
        let subject = Subject { resource, library };
        shown.then(|| COLUMNS.iter().map(|column| column.cell(subject, self.words)).collect())
    }

    /// The table as CSV, piece by piece.
    pub fn csv(self) -> impl Stream<Item = Result<Bytes, Error>> {
        futures::stream::try_unfold(self, |mut export| async move {
            let rows = export.next().await?;
            let begun = std::mem::replace(&mut export.begun, true);
            if begun && rows.is_none() {
                return Ok(None);
            }
            let write = || {
                let mut csv = match begun {
                    true => Csv::go_on(Vec::new()),
                    false => {
                        let mut csv = Csv::begin(Vec::new())?;
                        let heads = COLUMNS.iter().map(|column| column.heading(export.words));
                        csv.row(&heads.collect::<Vec<_>>())?;
                        csv
                    }
                };
                rows.iter().flatten().try_for_each(|row| csv.row(row))?;
                csv.end()
            };
            let piece = write().map_err(|error| Error::Write(error.to_string()))?;
            Ok(Some((Bytes::from(piece), export)))
        })
    }

    /// The table as XLSX, in a file that is open at its beginning.
    ///
    /// # Errors
    ///
    /// Those of the database and of writing.
    pub async fn xlsx(mut self) -> Result<File, Error> {
        let (send, mut receive) = tokio::sync::mpsc::channel::<Vec<Vec<String>>>(WAITING);
        let (words, scratch) = (self.words, self.app.config.storage.data.join("scratch"));
        let writing = tokio::task::spawn_blocking(move || {
            let columns: Vec<_> = COLUMNS.iter().map(|column| column.in_book(words)).collect();
            let mut book = Book::begin(&columns, &sheet(words), &scratch).map_err(unwritten)?;
            while let Some(rows) = receive.blocking_recv() {
                for row in rows {
                    book.row(&row).map_err(unwritten)?;
                }
            }
            let mut file = tempfile::tempfile_in(scratch).map_err(unwritten)?;
            book.end(&mut file).map_err(unwritten)?;
            file.rewind().map_err(unwritten)?;
            Ok(file)
        });
        while let Some(rows) = self.next().await? {
            // It ended early: why is said when it is asked.
            if send.send(rows).await.is_err() {
                break;
            }
        }
        drop(send);
        writing.await.map_err(unwritten)?
    }
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::Write(error.to_string())
}

/// What the sheets are called.
fn sheet(words: Words) -> Sheet<'static> {
    if let Words::In(Lang::Zh) = words {
        return Sheet {
            table: "资源",
            help: "说明",
            help_heads: ["列", "怎么填"],
            choices: "可选值",
            lines: &[
                "在“资源”表里修改，保存后到工作室的“表格导入”上传：系统先检查，列出每一处改动，您确认后才会修改。",
                "不要改“编号”和“修改序号”：前者认出资源，后者用来发现您导出之后别人的修改。",
                "灰色标题的列只读。不想修改的行可以删掉，不想修改的列也可以删掉；清空一个单元格就是清空这一项。",
                "以 = + - @ 开头的文字前面有一个单引号，防止被当成公式；导入时会去掉。",
            ],
        };
    }
    Sheet {
        table: "Resources",
        help: "Help",
        help_heads: ["Column", "How it is filled in"],
        choices: "Choices",
        lines: &[
            "Change the sheet Resources, save it and upload it in the studio: every change is shown before it is made.",
            "Leave Id and Change number alone: they find the resource, and what others changed since the export.",
            "Grey columns are to be read. Rows and columns that stay as they are can be deleted; an emptied cell empties the field.",
            "Texts that begin with = + - @ have a quote before them, so that they are no formulas; the import takes it off.",
        ],
    }
}
