//! What cannot be taken into the index: it is left out and listed, and the rest goes on.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use indexer::Index;

use super::entry::{self, Change, What};
use super::{Error, blocking};
use crate::app::App;
use crate::db;
use crate::db::unindexed::Unindexed;

/// Bytes of text that are held in memory while changes are taken one by one.
const BYTES: usize = 16 << 20;

/// Takes `changes` into the index, without a commit. Those that break it come back as left out.
///
/// # Errors
///
/// Those of the index, after which nothing since its last commit is in it.
pub(super) fn take(index: &Index, changes: Vec<Change>) -> Result<Vec<Change>, Error> {
    changes.into_iter().map(|change| take_one(index, change)).collect()
}

fn take_one(index: &Index, change: Change) -> Result<Change, Error> {
    let what = match change.what {
        What::Put(entry) => match catch_unwind(AssertUnwindSafe(|| index.put(&entry))) {
            Ok(taken) => {
                taken?;
                return Ok(Change { what: What::Put(entry), ..change });
            }
            Err(_) => What::LeaveOut("it breaks the index".into()),
        },
        what => what,
    };
    index.remove(&change.id)?;
    Ok(Change { what, ..change })
}

/// Takes up to `limit` changes with a commit each, since taking many at once failed: what makes it
/// fail is left out.
///
/// # Errors
///
/// Those of the database, and of an index that cannot be written to at all.
pub(super) async fn take_one_by_one(app: &App, index: &Index, limit: i64) -> Result<(), Error> {
    let mut db = app.db.read().await?;
    let (changes, _) = entry::changes(&mut db, index.mark(), limit, BYTES).await?;
    drop(db);
    let into = index.clone();
    let changes = blocking(move || each(&into, changes, take_one)).await?;
    note(app, &changes).await
}

fn each(
    index: &Index,
    changes: Vec<Change>,
    take: impl Fn(&Index, Change) -> Result<Change, Error>,
) -> Result<Vec<Change>, Error> {
    let mut taken = Vec::new();
    for change in changes {
        let (id, number) = (change.id.clone(), change.number);
        let one = take(index, change).and_then(|change| {
            index.commit(number)?;
            Ok(change)
        });
        taken.push(match one {
            Ok(change) => change,
            Err(error) => {
                // When it goes no better without it, it is not to blame.
                index.remove(&id)?;
                index.commit(number)?;
                Change { id, number, what: What::LeaveOut(error.to_string()) }
            }
        });
    }
    Ok(taken)
}

/// Lists those of `changes` that were left out, and takes those off the list that were not.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn note(app: &App, changes: &[Change]) -> Result<(), Error> {
    let listed = db::unindexed::list(&mut *app.db.read().await?).await?;
    let listed: HashSet<&str> = listed.iter().map(|one| one.resource.as_str()).collect();
    let left_out = |change: &&Change| matches!(change.what, What::LeaveOut(_));
    if !changes.iter().any(|change| left_out(&change) || listed.contains(change.id.as_str())) {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    for change in changes {
        if let What::LeaveOut(reason) = &change.what {
            tracing::error!(resource = change.id, reason, "left out of the index");
            let one = Unindexed {
                resource: change.id.clone(),
                title: String::new(),
                reason: reason.chars().take(500).collect(),
                noticed_ms: app.now_ms(),
            };
            db::unindexed::save(&mut tx, &one).await?;
        } else if listed.contains(change.id.as_str()) {
            db::unindexed::delete(&mut tx, &change.id).await?;
        }
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use indexer::{Entry, Words};

    use super::*;

    fn change(number: i64) -> Change {
        let id = format!("0198c0de00007000800000000000000{number}");
        let entry = Entry { resource: id.clone(), title: "剪纸".into(), ..Entry::default() };
        Change { id, number, what: What::Put(Box::new(entry)) }
    }

    #[test]
    fn what_breaks_the_index_is_left_out_and_the_rest_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::open(folder.path(), Words::new("")).expect("opened");
        let poison = change(2).id;
        let taking = |index: &Index, change: Change| match change.id == poison {
            true => Err(Error::unusable("poison", "")),
            false => take_one(index, change),
        };
        let taken = each(&index, (1..=3).map(change).collect(), taking).expect("taken");
        let left_out: Vec<i64> = taken
            .iter()
            .filter(|change| matches!(change.what, What::LeaveOut(_)))
            .map(|change| change.number)
            .collect();
        assert_eq!(left_out, [2]);
        assert_eq!((index.len().expect("read"), index.mark()), (2, 3));
    }
}
